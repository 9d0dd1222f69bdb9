"""The user's own addresses: bound, unbound, and whom they lead to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from nio_identity_server.cli import options
from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.terminal import green, note, say_raw

if TYPE_CHECKING:
    from nio_identity_server.cli.settings import Settings
    from nio_identity_server.flows.association import ShareStatus
    from nio_identity_server.threepid import ThreePid


@click.command()
@click.argument("address")
@click.option("--country", metavar="CC", help="Two letters, for a phone number (ISO 3166-1).")
@click.option("--resend", is_flag=True, help="Send another mail or SMS.")
@click.option(
    "--timeout",
    type=options.Seconds(),
    default=3600,
    show_default=True,
    help="Seconds to wait for the link.",
)
@click.pass_obj
def bind(
    settings: Settings,
    address: str,
    country: str | None,
    resend: bool,  # noqa: FBT001
    timeout: float,
) -> None:
    """Let the user be found by ADDRESS.

    The identity server sends a mail or an SMS. The link in the mail has to be opened, wherever; the
    token of the SMS is asked for, or read from standard input. If that is interrupted, the same
    command goes on with it, for 24 hours.
    """
    from nio_identity_server.cli.binding import begin, end  # noqa: PLC0415
    from nio_identity_server.cli.connection import run  # noqa: PLC0415

    begun = run(settings, lambda it: begin(it, address, country, resend=resend))
    if begun.is_new:
        note("a mail was sent" if begun.is_email else "an SMS was sent")
    else:
        note("going on with what was sent before; --resend sends it again")
    token = None
    if begun.is_email:
        note("waiting until its link is opened; Ctrl-C ends the waiting, not the validation")
    else:
        token = _ask_token()
    run(settings, lambda it: end(it, begun.validation, token, timeout))
    note(green("bound"))


@click.command()
@click.argument("address")
@click.option("--server", metavar="URL", help="A server that was used earlier.")
@click.option("--everywhere", is_flag=True, help="Every server that the homeserver remembers.")
@click.pass_obj
def unbind(settings: Settings, address: str, server: str | None, everywhere: bool) -> None:  # noqa: FBT001
    """Let the user not be found by ADDRESS any more."""
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.client.owning import ALL  # noqa: PLC0415

    if server and everywhere:
        raise click.UsageError("--server and --everywhere are two different things")
    where = ALL if everywhere else server
    run(settings, lambda it: it.server.unbind(address, server=where))
    note(green("unbound"))


@click.command()
@click.argument("addresses", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object for each address.")
@click.pass_obj
def shared(settings: Settings, addresses: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001
    """Tell to whom ADDRESSES lead at the user's identity server.

    Without any, those that the homeserver keeps for the account.
    """
    from nio_identity_server.cli.connection import Connection, run  # noqa: PLC0415
    from nio_identity_server.cli.results import Form  # noqa: PLC0415
    from nio_identity_server.cli.spelling import spell  # noqa: PLC0415
    from nio_identity_server.flows.leaving import account_addresses  # noqa: PLC0415

    async def work(connection: Connection) -> dict[ThreePid, ShareStatus]:
        known = addresses or await account_addresses(connection.homeserver.ask)
        return await connection.server.share_status(known) if known else {}

    statuses = run(settings, work)
    if not statuses:
        note("the account has no addresses")
    form = Form.JSON if as_json else Form.TEXT
    for threepid, status in statuses.items():
        say_raw(form.line({"status": status.value, "address": spell(threepid)}))


def _ask_token() -> str:
    """The token of an SMS."""
    if sys.stdin.isatty():
        return str(click.prompt("Token in the SMS", err=True))
    token = sys.stdin.readline().strip()
    if token:
        return token
    raise Failure("interrupted; the same command goes on with it", ExitCode.INTERRUPTED)
