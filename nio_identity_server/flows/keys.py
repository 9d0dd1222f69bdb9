"""Whether something is signed by whom it says.

https://spec.matrix.org/v1.16/identity-service-api/#key-management
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nio_identity_server.endpoints.association import Association
from nio_identity_server.endpoints.invitation import SignedInvite
from nio_identity_server.endpoints.keys import (
    GetPubKey,
    IsEphemeralPubKeyValid,
    IsPubKeyValid,
)
from nio_identity_server.errors import BadSignature, MatrixError
from nio_identity_server.flows.line import Ask
from nio_identity_server.signing import is_signed, signatures_of

Signed = Association | SignedInvite | Mapping[str, Any]

_MOST_KEYS = 5
"""Keys that are asked for: whoever made the object chose how many it names."""


async def verify(ask: Ask, signed: Signed) -> None:
    """Make sure that an identity server has signed this, with a key that is valid now.

    Args:
        ask: Sends a request to that server.
        signed: What is signed.

    Raises:
        BadSignature: If it has not.
    """
    value = signed.signed_object if isinstance(signed, Association | SignedInvite) else signed
    if not isinstance(value, Mapping):
        raise TypeError("verify() takes an Association, a SignedInvite or a JSON object")
    signatures = signatures_of(value)
    if not signatures:
        raise BadSignature("there is no Ed25519 signature")
    for key_id, signature in signatures[:_MOST_KEYS]:
        public_key = await _public_key(ask, key_id)
        if public_key is not None and is_signed(value, signature, public_key):
            if (await ask(IsPubKeyValid(public_key))).valid:
                return
            raise BadSignature("the server says that the key is not valid")
    raise BadSignature("it is not by a key of this identity server")


async def is_valid_key(ask: Ask, public_key: str) -> bool:
    """Tell whether the server knows a key as its own, or as that of an invitation, and valid.

    Args:
        ask: Sends a request to that server.
        public_key: The exact string that the invitation or the room told, in either alphabet.
    """
    for endpoint in (IsPubKeyValid(public_key), IsEphemeralPubKeyValid(public_key)):
        if (await ask(endpoint)).valid:
            return True
    return False


async def _public_key(ask: Ask, key_id: str) -> str | None:
    try:
        endpoint = GetPubKey(key_id)
    except ValueError:  # nothing that could be a key id
        return None
    try:
        return (await ask(endpoint)).public_key
    except MatrixError as error:
        if error.status != 404:  # noqa: PLR2004 - it has no such key
            raise
    return None
