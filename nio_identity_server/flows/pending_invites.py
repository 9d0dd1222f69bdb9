"""The invitations by email that wait in a room.

https://spec.matrix.org/v1.16/client-server-api/#mroomthird_party_invite
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from nio_identity_server.endpoints.homeserver_room import (
    GetRoomState,
    SetRoomStateWithKey,
    StateEvent,
)
from nio_identity_server.flows.line import Ask
from nio_identity_server.signing import is_signed_by

EVENT_TYPE = "m.room.third_party_invite"
_MEMBER = "m.room.member"


@attrs.frozen
class PendingInvite:
    """An invitation that nobody has accepted yet.

    Attributes:
        token: What names it.
        display_name: The address with most of it hidden, as the identity server shows it.
        sender: The user ID of who invited.
        public_keys: What its acceptance may be signed with; for ``is_valid_key()``.
    """

    token: str = attrs.field(repr=False)
    display_name: str = attrs.field(repr=False)
    sender: str
    public_keys: tuple[str, ...]


async def pending_invites(ask: Ask, room_id: str) -> tuple[PendingInvite, ...]:
    """Those that were neither revoked nor accepted, as far as the room's state still tells.

    The proof of acceptance stands in the event that invites somebody, or that lets them in by the
    link. As soon as another membership has followed it, the invitation is listed again, which can
    still be revoked and harms nobody.
    """
    state = await ask(GetRoomState(room_id))
    proofs = [proof for event in state if event.type == _MEMBER for proof in _proofs(event)]
    return tuple(
        PendingInvite(event.state_key, name, event.sender, keys)
        for event in state
        if event.type == EVENT_TYPE
        # A revoked one has no content left.
        and isinstance(name := event.content.get("display_name"), str)
        and not _is_accepted(event.state_key, keys := tuple(_public_keys(event.content)), proofs)
    )


async def revoke_invite(ask: Ask, room_id: str, token: str) -> None:
    """Take an invitation back: who binds the address later is not invited."""
    await ask(SetRoomStateWithKey(room_id, EVENT_TYPE, token, {}))


def _proofs(member: StateEvent) -> Iterator[dict[str, Any]]:
    """The signed acceptances in a membership: of an address that was bound, or of a link."""
    invite = member.content.get("third_party_invite")
    signed = invite.get("signed") if isinstance(invite, dict) else None
    for proof in (signed, member.content.get("third_party_signed")):
        if isinstance(proof, dict):
            yield proof


def _is_accepted(token: str, keys: tuple[str, ...], proofs: list[dict[str, Any]]) -> bool:
    """Whether one of the proofs is of this invitation: anybody can write about any token."""
    return any(
        is_signed_by(proof, key) for proof in proofs if proof.get("token") == token for key in keys
    )


def _public_keys(content: dict[str, Any]) -> Iterable[str]:
    """The first of them stands by itself too: older than the list."""
    listed = content.get("public_keys")
    entries = listed if isinstance(listed, list) else []
    keys = [entry.get("public_key") for entry in entries if isinstance(entry, dict)]
    return dict.fromkeys(key for key in (*keys, content.get("public_key")) if isinstance(key, str))
