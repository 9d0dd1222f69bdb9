"""Seeing and making the user's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nio_identity_server.cli.endings import ExitCode, finish
from nio_identity_server.cli.terminal import green, note, red, row, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nio_identity_server.cli.connection import Connection
    from nio_identity_server.cli.settings import Settings
    from nio_identity_server.client.identity_server import IdentityServer


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:  # noqa: FBT001
    """Show what the user has chosen, and whether that server answers.

    Nothing of the user is sent to the identity server.
    """
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.overview import lines_of, look, to_json  # noqa: PLC0415

    overview = run(settings, look)
    if as_json:
        say(to_json(overview))
    else:
        for label, value in lines_of(overview):
            row(label, value)
    finish(overview.code)


@click.command()
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
@click.pass_obj
def check(settings: Settings, url: str, as_json: bool) -> None:  # noqa: FBT001
    """Look at the identity server at URL without choosing it."""
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.overview import info_lines, info_to_json  # noqa: PLC0415

    info = run(settings, lambda connection: connection.server.check(url))
    if as_json:
        say(info_to_json(info))
    else:
        for label, value in info_lines(info):
            row(label, value)


@click.command(name="set")
@click.argument("url")
@click.pass_obj
def set_(settings: Settings, url: str) -> None:
    """Choose the identity server at URL, in all of the user's clients.

    It is asked first whether it is one. A server of your own that is http or private has to be
    named with --trust too.
    """
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.explanations import explain  # noqa: PLC0415
    from nio_identity_server.errors import IdentityServerError  # noqa: PLC0415

    async def work(connection: Connection) -> None:
        await connection.server.set(url)
        note(green("chosen") + ", in all of the user's clients")
        try:
            pending = await connection.server.pending_terms()
        except IdentityServerError as error:  # of the terms: the choice has been made
            note(f"whether it has terms could not be learned: {explain(error)}")
        else:
            if pending:
                note('it has terms that are not accepted: "terms" shows and accepts them')

    run(settings, work)


@click.command()
@click.pass_obj
def disable(settings: Settings) -> None:
    """Use no identity server, in all of the user's clients."""
    _write(settings, lambda server: server.disable())
    note("identity servers are " + green("switched off") + ", in all of the user's clients")


@click.command()
@click.pass_obj
def reset(settings: Settings) -> None:
    """Take the choice back: each client uses its own default."""
    _write(settings, lambda server: server.reset())
    note("the choice is " + green("taken back") + ": each client uses its own default")


@click.command()
@click.argument("addresses", nargs=-1)
@click.option("--unbind", is_flag=True, help="Unbind what is bound there.")
@click.pass_obj
def leave(settings: Settings, addresses: tuple[str, ...], unbind: bool) -> None:  # noqa: FBT001
    """Leave the identity server carefully, and use none from now on.

    No server lists what is bound there. It is looked for among the addresses of the account and
    ADDRESSES.
    """
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.explanations import explain_any  # noqa: PLC0415
    from nio_identity_server.cli.spelling import spell  # noqa: PLC0415

    if addresses and not unbind:
        raise click.UsageError("ADDRESSES are for --unbind")
    report = run(settings, lambda it: it.server.leave(unbind=addresses or unbind))
    for step in report.steps:
        outcome = green("done") if step.error is None else red("failed: ") + explain_any(step.error)
        row(step.name, outcome if step.threepid is None else f"{spell(step.threepid)}  {outcome}")
    for threepid in report.left_behind:
        row("still there", spell(threepid))
    if not report.has_left:
        note(red("identity servers are not switched off"))
    went_well = report.has_left and all(step.error is None for step in report.steps)
    finish(ExitCode.DONE if went_well else ExitCode.PARTLY)


def _write(settings: Settings, write: Callable[[IdentityServer], Awaitable[None]]) -> None:
    from nio_identity_server.cli.connection import run  # noqa: PLC0415

    async def work(connection: Connection) -> None:
        await connection.server.resolve()  # whose token is to be given back
        await write(connection.server)

    run(settings, work)
