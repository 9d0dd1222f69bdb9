"""Inviting a list of people into a room."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nio_identity_server.cli import options
from nio_identity_server.cli.endings import ExitCode, finish
from nio_identity_server.cli.terminal import note

if TYPE_CHECKING:
    from nio_identity_server.cli.settings import Settings


@click.command()
@click.argument("room_id")
@options.addresses
@click.option(
    "--report",
    type=options.NEW_FILE,
    help="Add each result to this CSV; whom it says to be invited is left out.",
)
@click.pass_obj
def invite(  # noqa: PLR0917 - click passes them by name
    settings: Settings,
    room_id: str,
    addresses: tuple[str, ...],
    file: Path | None,
    column: str | None,
    report: Path | None,
) -> None:
    """Invite the people who have ADDRESSES into a room.

    Who is found on Matrix is invited at once, anybody else by a mail. With --report the same
    command goes on, however it ended, or when the homeserver has asked for patience, and nobody
    gets a second mail.
    """
    from nio_identity_server.cli.address_book import (  # noqa: PLC0415
        open_address_book,
        read_threepids,
    )
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.explanations import failure  # noqa: PLC0415
    from nio_identity_server.cli.invitations import open_ledger  # noqa: PLC0415
    from nio_identity_server.cli.progress_bar import progress_bar  # noqa: PLC0415

    _ = settings.credentials  # asked for before the input is read
    with open_address_book(addresses, file, column) as book:
        given = read_threepids(book.entries)
    with open_ledger(report, room_id) as ledger:
        waiting = [threepid for threepid in given if threepid not in ledger.before]
        if len(waiting) < len(given):
            number = len(given) - len(waiting)
            note(f"{number:,} are left out: the report says that they are invited, or may be")
        try:
            with progress_bar(len(waiting), report is not None) as ledger.show:
                outcome = run(
                    settings,
                    lambda it: it.server.invite_all(
                        room_id,
                        waiting,
                        on_attempt=ledger.note_attempt,
                        on_result=ledger.note_result,
                    ),
                )
        finally:
            note(ledger.summary(len(waiting)))
    if outcome.stopped is not None:
        raise failure(outcome.stopped, verbose=settings.verbose)
    finish(ExitCode.PARTLY if outcome.missing else ExitCode.DONE)
