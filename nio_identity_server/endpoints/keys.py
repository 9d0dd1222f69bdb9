"""The public keys of an identity server, and whether they are still valid.

None of these calls needs a token.

https://spec.matrix.org/v1.16/identity-service-api/#key-management
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import attrs

from nio_identity_server.endpoint import Endpoint

# "algorithm:identifier", where the identifier is opaque.
_KEY_ID = re.compile(r"[0-9A-Za-z_]+:[!-~]+")


def _check_key_id(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not _KEY_ID.fullmatch(value):
        raise ValueError(f"{attribute.name} is not of the form algorithm:identifier")


@attrs.frozen
class PubKey:
    """A public key.

    Attributes:
        public_key: In unpadded base64.
    """

    public_key: str


@attrs.frozen
class GetPubKey(Endpoint[PubKey]):
    """GET /_matrix/identity/v2/pubkey/{keyId}: one long-term key of the server.

    For a key that it does not have Sydent answers 404 in HTML, without an error code.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2pubkeykeyid
    """

    path: ClassVar[str] = "/_matrix/identity/v2/pubkey/{key_id}"
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = PubKey

    key_id: str = attrs.field(validator=_check_key_id)


@attrs.frozen
class Validity:
    """Whether a key is recognised and currently valid.

    Attributes:
        valid: Is it?
    """

    valid: bool


@attrs.frozen
class IsPubKeyValid(Endpoint[Validity]):
    """GET /_matrix/identity/v2/pubkey/isvalid: whether a long-term key is valid.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2pubkeyisvalid
    """

    path: ClassVar[str] = "/_matrix/identity/v2/pubkey/isvalid?public_key={public_key}"
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Validity

    public_key: str


@attrs.frozen
class IsEphemeralPubKeyValid(Endpoint[Validity]):
    """GET /_matrix/identity/v2/pubkey/ephemeral/isvalid: whether the key of an invitation is valid.

    The key must be the very string that ``StoreInvite`` or the room event told, in whichever of the
    two base64 alphabets.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2pubkeyephemeralisvalid
    """

    path: ClassVar[str] = "/_matrix/identity/v2/pubkey/ephemeral/isvalid?public_key={public_key}"
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Validity

    public_key: str
