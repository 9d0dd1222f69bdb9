"""What a write is to store, and how it has to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nio_identity_server import (
    Chosen,
    Disabled,
    HomeserverError,
    IdentityServerChanged,
    NotSet,
    OutcomeUnknown,
    Unconfirmed,
    parse_base_url,
)

from .bot import Operation

if TYPE_CHECKING:
    from .world import World


def content_of(operation: Operation) -> dict[str, Any]:
    """What an operation is to write."""
    match operation.kind:
        case "set":
            return {"base_url": operation.url}
        case "disable":
            return {"base_url": None}
        case _:
            return {}


def preference_of(operation: Operation) -> Chosen | Disabled | NotSet:
    """What is chosen when an operation has written."""
    match operation.kind:
        case "set":
            return Chosen(parse_base_url(operation.url))
        case "disable":
            return Disabled()
        case _:
            return NotSet()


def judge_write(world: World, operation: Operation, sent_at: int) -> None:
    """Judge the end of an operation whose PUT was sent, and tell the ledger of it.

    Returned: stored, and the preference is what was written, or unconfirmed if something else was
    heard meanwhile. Refused: not stored (unless behind a redirect, or aiohttp sent a lost PUT once
    more and the second was refused), and the preference is as it was. Anything else: unconfirmed,
    unless the very value was seen meanwhile.
    """
    error, ledger, word = operation.error, operation.ledger, operation.word
    stored = world.stage.homeserver.stored[operation.name]
    if word is not None:
        ledger.lost(word)
    if isinstance(error, IdentityServerChanged) or ledger is not world.ledger():
        return
    preference, heard = world.server.preference, ledger.heard > operation.heard
    written, name = preference_of(operation), operation.name
    if error is None:
        if word is None or not stored:
            world.blame(f"{name} returned, but nothing was stored")
            return
        ledger.told(word)
        if preference != written and not (isinstance(preference, Unconfirmed) and heard):
            world.blame(f"{name} returned, and the preference is {preference}")
    elif isinstance(error, HomeserverError) and not isinstance(error, OutcomeUnknown):
        once = world.stage.homeserver.sent_by[name] == 1
        redirected = 300 <= (error.status or 0) < 400
        if stored and once and not redirected:
            world.blame(f"{name} is said to be refused, but was stored")
        if not heard and preference != operation.before:
            world.blame(f"{name} was refused, and the preference is {preference}")
    else:
        latest, value = ledger.latest, world.rules.read(content_of(operation))
        seen = latest is not None and latest.at > sent_at and latest.value == value
        ledger.write_ended_unknown(sent_at, seen=seen)
        if not isinstance(preference, Unconfirmed) and not (heard and preference == written):
            world.blame(f"{name} ended unknown, and the preference is {preference}")
