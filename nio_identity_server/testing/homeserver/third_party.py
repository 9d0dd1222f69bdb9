"""Invitations of addresses: the proof that turns one into an invite of a user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nio_identity_server.testing.homeserver.identity_servers import internal
from nio_identity_server.testing.homeserver.room import Room
from nio_identity_server.testing.replies import Refusal
from nio_identity_server.testing.signing import is_signed_by

THIRD_PARTY_INVITE = "m.room.third_party_invite"


def proof(room: Room, sender: str, user_id: str, signed: Mapping[str, Any]) -> dict[str, Any]:
    """Check that a user may accept an invitation; gives what their invite says of it.

    Args:
        room: The room.
        sender: Who is said to have sent the invitation.
        user_id: Who wants to accept it.
        signed: The proof: `mxid`, `token` and `signatures`.

    Raises:
        Refusal: 403 `M_FORBIDDEN`: it is another user's, another sender's, revoked, or not signed
            with a key of the invitation; 500: it does not even name one, or has signatures that
            are none.
    """
    if "token" not in signed or not isinstance(signed.get("signatures", {}), dict):
        raise internal()
    pending = room.state.get((THIRD_PARTY_INVITE, str(signed["token"])))
    good = (
        pending is not None
        and pending["sender"] == sender
        and signed.get("mxid") == user_id
        and "signatures" in signed
        and any(is_signed_by(signed, key) for key in _public_keys(pending["content"]))
    )
    if pending is None or not good:
        raise Refusal(403, "M_FORBIDDEN", "You are not invited to this room.")
    return {"signed": signed, "display_name": pending["content"].get("display_name")}


def _public_keys(content: Mapping[str, Any]) -> list[str]:
    """Give the keys of an invitation; a revoked one has none."""
    keys = [content, *content.get("public_keys", [])]
    return [key["public_key"] for key in keys if "public_key" in key]
