"""Following the user's choice as it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nio_identity_server.cli import options

if TYPE_CHECKING:
    from nio_identity_server.cli.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object for each change.")
@click.option(
    "--interval",
    type=options.Seconds(),
    default=2.0,
    show_default=True,
    help="Seconds between two questions to the homeserver.",
)
@click.pass_obj
def watch(settings: Settings, as_json: bool, interval: float) -> None:  # noqa: FBT001
    """Show the user's choice, and each change, until Ctrl-C.

    It asks the homeserver again and again, and takes nothing away from a bot with the same login.
    """
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.following import follow, to_json, to_text  # noqa: PLC0415
    from nio_identity_server.cli.terminal import say  # noqa: PLC0415

    write = to_json if as_json else to_text
    run(settings, lambda connection: follow(connection, lambda now: say(write(now)), interval))
