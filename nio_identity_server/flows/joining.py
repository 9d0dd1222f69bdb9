"""Accepting an invitation that came by mail.

https://spec.matrix.org/v1.16/identity-service-api/#ephemeral-invitation-signing
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nio_identity_server.endpoints.homeserver_room import JoinRoom
from nio_identity_server.endpoints.invitation import BlindlySignStuff
from nio_identity_server.errors import BadResponse
from nio_identity_server.flows.line import Ask
from nio_identity_server.flows.session import Session
from nio_identity_server.signing import is_signed_by, public_key_of, sign_json

# Homeservers try each of the invitation's keys on each signature, whoever is said to have made it.
_SIGNER = "invitation"
_KEY_ID = "ed25519:0"


def sign_invite(token: str, private_key: str, *, user_id: str, sender: str) -> dict[str, Any]:
    """Sign the acceptance here, so that the invitation's private key stays here.

    Args:
        token: The invitation's name.
        private_key: Its key, from the link in the mail.
        user_id: Who accepts.
        sender: Who invited; the homeserver insists on exactly that user ID.
    """
    accepted = {"mxid": user_id, "sender": sender, "token": token}
    return sign_json(accepted, private_key, _SIGNER, _KEY_ID)


async def have_invite_signed(
    session: Session, token: str, private_key: str, user_id: str
) -> dict[str, Any]:
    """Have the identity server sign, which knows who invited; it gets to see the private key.

    Raises:
        BadResponse: If it signed something else, or with another key.
    """
    public_key = public_key_of(private_key)  # before anything is sent
    signed = await session.ask(BlindlySignStuff(user_id, token, private_key.rstrip("=")))
    if (signed.mxid, signed.token) != (user_id, token):
        raise BadResponse(session.line.server, "it signed another invitation")
    if not is_signed_by(signed.signed_object, public_key):
        raise BadResponse(session.line.server, "its signature is not by the invitation's key")
    return signed.signed_object


async def join_signed(
    ask: Ask, room_id: str, signed: Mapping[str, Any], via: Sequence[str] = ()
) -> str:
    """Enter the room with the signed acceptance; gives the room's id."""
    return (await ask(JoinRoom(room_id, signed, via))).room_id
