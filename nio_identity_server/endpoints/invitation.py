"""Invitations of people who are known by an address only.

https://spec.matrix.org/v1.16/identity-service-api/#invitation-storage
https://spec.matrix.org/v1.16/identity-service-api/#ephemeral-invitation-signing
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import msgspec

from nio_identity_server import strict_json
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.grammar import check_opaque

# The specification says "unpadded base64"; public keys come in the URL-safe alphabet too.
_BASE64 = re.compile(r"[0-9a-zA-Z+/_-]+")


def _check_base64(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not _BASE64.fullmatch(value):
        raise ValueError(f"{attribute.name} is not unpadded base64")


@attrs.frozen
class InviteKey:
    """A key that the acceptance of an invitation may be signed with.

    Attributes:
        public_key: In either alphabet of base64; the exact string matters.
        key_validity_url: Where to ask whether it is valid. Sydent names its old ``api/v1`` paths.
    """

    public_key: str
    key_validity_url: str


@attrs.frozen
class StoredInvite:
    """An invitation that waits for its address to be bound.

    Attributes:
        token: What names it, in the room too.
        display_name: The address with most of it hidden.
        public_keys: The server's own key, and the one made for this invitation.
        public_key: The first of them; older than the specification.
    """

    token: str = attrs.field(repr=False, validator=check_opaque)
    display_name: str = attrs.field(repr=False)
    public_keys: tuple[InviteKey, ...]
    public_key: str | msgspec.UnsetType = msgspec.UNSET


@attrs.frozen
class StoreInvite(Endpoint[StoredInvite]):
    """POST /_matrix/identity/v2/store-invite: keep an invitation for an email, and send a mail.

    There is no other medium. Meant for homeservers: the room learns of the invitation only if
    somebody sends the state event, which ``InviteBy3PID`` does. Sydent answers 403
    ``M_UNAUTHORIZED`` unless ``sender`` is who the token belongs to, 400 ``M_THREEPID_IN_USE`` with
    the ``mxid`` if the address is bound, and 500 if no mail could be sent.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2store-invite
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/store-invite"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = StoredInvite

    address: str = attrs.field(repr=False)
    room_id: str
    sender: str
    room_alias: str | None = None
    room_avatar_url: str | None = None
    room_join_rules: str | None = None
    room_name: str | None = None
    sender_display_name: str | None = None
    sender_avatar_url: str | None = None
    room_type: str | None = None

    @property
    def body(self) -> Mapping[str, Any]:
        """The medium, and the fields that have a value."""
        fields = attrs.asdict(self, recurse=False)
        given = {name: value for name, value in fields.items() if value is not None}
        return {"medium": "email"} | given


@attrs.frozen
class SignedInvite:
    """The proof that a user may accept an invitation.

    Attributes:
        mxid: Who accepts it.
        sender: Who sent it.
        token: Its name.
        signatures: By server name and key id.
        signed_object: All that the server sent, which is what ``JoinRoom`` has to send on.
    """

    mxid: str
    sender: str
    signatures: dict[str, dict[str, str]] = attrs.field(repr=False)
    token: str = attrs.field(repr=False)
    signed_object: dict[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class BlindlySignStuff(Endpoint[SignedInvite]):
    """POST /_matrix/identity/v2/sign-ed25519: have the acceptance of an invitation signed.

    The private key leaves this machine: signing here is safer, but needs to know the sender, which
    the link in the mail does not always tell.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2sign-ed25519
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/sign-ed25519"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = SignedInvite

    mxid: str
    token: str = attrs.field(repr=False, validator=check_opaque)
    private_key: str = attrs.field(repr=False, validator=_check_base64)

    @property
    def body(self) -> Mapping[str, Any]:
        """All fields."""
        return attrs.asdict(self)

    def read(self, data: bytes) -> SignedInvite:
        """Decode the proof, and keep the whole of what is signed."""
        return attrs.evolve(super().read(data), signed_object=strict_json.loads(data))
