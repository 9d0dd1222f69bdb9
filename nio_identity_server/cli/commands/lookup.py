"""Finding who of a list is on Matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nio_identity_server.cli import options
from nio_identity_server.cli.endings import ExitCode, Failure, finish
from nio_identity_server.cli.terminal import note

if TYPE_CHECKING:
    from nio_identity_server.cli.bulk_lookup import BulkLookup
    from nio_identity_server.cli.checkpoint import Progress
    from nio_identity_server.cli.settings import Settings


@click.command()
@options.addresses
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object in each line.")
@click.option("--csv", "as_csv", is_flag=True, help="Write a CSV.")
@click.option(
    "--output",
    type=options.NEW_FILE,
    help="Write to this file, so that it can be gone on with.",
)
@click.option("--resume", is_flag=True, help="Go on with --output after an interruption.")
@click.option("--allow-plaintext", is_flag=True, help="Send addresses in the clear if need be.")
@click.pass_obj
def lookup(  # noqa: PLR0917 - click passes them by name
    settings: Settings,
    addresses: tuple[str, ...],
    file: Path | None,
    column: str | None,
    as_json: bool,  # noqa: FBT001
    as_csv: bool,  # noqa: FBT001
    output: Path | None,
    resume: bool,  # noqa: FBT001
    allow_plaintext: bool,  # noqa: FBT001
) -> None:
    """Tell who of ADDRESSES is on Matrix.

    An address with an @ is an email address, one with a + in front a phone number. There may be any
    number of them. They are sent hashed, which keeps them from a casual eye only.

    Whoever is found stands in the result, with a user ID that the server claims.
    """
    from nio_identity_server.cli.address_book import open_address_book  # noqa: PLC0415
    from nio_identity_server.cli.bulk_lookup import BulkLookup  # noqa: PLC0415
    from nio_identity_server.cli.checkpoint import open_sink  # noqa: PLC0415
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.progress_bar import progress_bar  # noqa: PLC0415
    from nio_identity_server.cli.results import form_of  # noqa: PLC0415

    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two different things")
    if resume and output is None:
        raise click.UsageError("--resume goes on with --output")
    form = form_of(as_json=as_json, as_csv=as_csv)
    _ = settings.credentials  # asked for before the input is read
    with (
        open_address_book(addresses, file, column) as book,
        open_sink(output, resume=resume) as sink,
    ):
        bulk = BulkLookup(sink, form, allow_plaintext)
        try:
            with progress_bar(book.size, output is not None) as show:

                def tell(now: Progress) -> None:
                    show(book.position(), now.entries)

                run(settings, lambda it: bulk.run(it.server, book.entries, tell))
        except Failure as failure:
            if failure.exit_code != ExitCode.USAGE:
                _tell_what_is_kept(bulk.progress, output)
            raise
    _tell_what_was_found(bulk)
    finish(ExitCode.PARTLY if bulk.progress.invalid else ExitCode.DONE)


def _tell_what_is_kept(progress: Progress, output: Path | None) -> None:
    if output is not None and progress.entries:
        note(f"{progress.entries:,} addresses are done and kept in {output}; --resume goes on")
    elif progress.entries:
        note(f"{progress.entries:,} addresses are done; with --output a lookup can be gone on with")


def _tell_what_was_found(bulk: BulkLookup) -> None:
    progress = bulk.progress
    note(f"{progress.found:,} of {progress.entries:,} addresses are on Matrix")
    if progress.invalid:
        note(f"{progress.invalid:,} are no addresses: {bulk.invalid_text}")
