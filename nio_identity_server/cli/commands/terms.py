"""The terms of the user's identity server: shown, and accepted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from nio_identity_server.cli.endings import ExitCode, finish
from nio_identity_server.cli.terminal import green, note, say

if TYPE_CHECKING:
    from nio_identity_server.cli.settings import Settings
    from nio_identity_server.endpoints.terms import Policy


@click.command()
@click.option("--accept", metavar="URL", multiple=True, help="Accept this document; repeatable.")
@click.option("--accept-all", is_flag=True, help="Accept every policy without being asked.")
@click.option(
    "--language", default="en", show_default=True, help="The language to show, if there is one."
)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object, and ask nothing.")
@click.pass_obj
def terms(
    settings: Settings,
    accept: tuple[str, ...],
    accept_all: bool,  # noqa: FBT001
    language: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show terms that are not accepted, and ask for it.

    Without a terminal nobody is asked: --accept or --accept-all says it.
    """
    if as_json and (accept or accept_all):
        raise click.UsageError("--json shows what is pending, and accepts nothing")
    from nio_identity_server.cli.connection import run  # noqa: PLC0415
    from nio_identity_server.cli.overview import policies_to_json  # noqa: PLC0415

    pending = () if accept else run(settings, lambda it: it.server.pending_terms())
    if as_json:
        say(policies_to_json(pending))
    elif not accept:
        accept = _choose(pending, language, accept_all=accept_all)
    if accept:
        run(settings, lambda it: it.server.accept_terms(accept))
        pending = run(settings, lambda it: it.server.pending_terms())
    if not as_json:
        note(green("accepted") if not pending else "not all of them are accepted")
    finish(ExitCode.TERMS if pending else ExitCode.DONE)


def _choose(pending: tuple[Policy, ...], language: str, *, accept_all: bool) -> tuple[str, ...]:
    """Show each policy, and find out which documents the user accepts."""
    from nio_identity_server.words import printable  # noqa: PLC0415

    accepted = []
    for policy in pending:
        documents = policy.documents
        document = documents.get(language) or next(iter(documents.values()), None)
        if document is None:
            note(f"{printable(policy.name)}: no document that could be shown, so never accepted")
            continue
        say(f"{printable(document.name)}  {document.url}")
        if accept_all or (sys.stdin.isatty() and click.confirm("Do you accept it?", err=True)):
            accepted.append(document.url)
    return tuple(accepted)
