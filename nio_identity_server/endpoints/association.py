"""Publishing that a validated address belongs to a user, and taking that back.

https://spec.matrix.org/v1.16/identity-service-api/#establishing-associations
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from nio_identity_server import strict_json
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.grammar import check_medium, check_opaque


@attrs.frozen
class Validated3pid:
    """An address that has been proved.

    Attributes:
        medium: ``email`` or ``msisdn``.
        address: As it was typed when the token was requested: Sydent folds it only on ``Bind``.
        validated_at: When, in milliseconds of Unix time.
    """

    medium: str
    address: str = attrs.field(repr=False)
    validated_at: int


@attrs.frozen
class GetValidated3pid(Endpoint[Validated3pid]):
    """GET /_matrix/identity/v2/3pid/getValidated3pid: whether a validation is finished.

    Until it is, the answer is 400 ``M_SESSION_NOT_VALIDATED``. The specification puts the
    ``client_secret`` into the query, so it can stand in the server's logs.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv23pidgetvalidated3pid
    """

    path: ClassVar[str] = (
        "/_matrix/identity/v2/3pid/getValidated3pid?sid={sid}&client_secret={client_secret}"
    )
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Validated3pid

    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)


@attrs.frozen
class Association:
    """The server's word that an address belongs to a user.

    Attributes:
        address: The address, as the server keeps it.
        medium: ``email`` or ``msisdn``.
        mxid: Whose it is.
        not_before: From when on, in milliseconds of Unix time.
        not_after: Until when; Sydent says in a hundred years.
        ts: When it was verified.
        signatures: By server name and key id.
        signed_object: All that the server sent. Its signature covers keys that the specification
            does not know too: Sydent adds ``invites``, the invitations that were waiting.
    """

    address: str = attrs.field(repr=False)
    medium: str
    mxid: str
    not_before: int
    not_after: int
    ts: int
    signatures: dict[str, dict[str, str]]
    signed_object: dict[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Bind(Endpoint[Association]):
    """POST /_matrix/identity/v2/3pid/bind: let the address be found.

    Meant for homeservers, which remember where they bound something; a client asks its own by
    ``Bind3PID``. Sydent answers 403 ``M_UNAUTHORIZED`` unless ``mxid`` is who the token belongs to.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv23pidbind
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/3pid/bind"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = Association

    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    mxid: str

    @property
    def body(self) -> Mapping[str, Any]:
        """All fields."""
        return attrs.asdict(self)

    def read(self, data: bytes) -> Association:
        """Decode the association, and keep the whole of what is signed."""
        return attrs.evolve(super().read(data), signed_object=strict_json.loads(data))


@attrs.frozen
class Unbind(Endpoint[dict[str, Any]]):
    """POST /_matrix/identity/v2/3pid/unbind: let the address not be found any more.

    Authenticated by the homeserver's signature, or by the session that proved the address: for
    Sydent the token alone is not enough (401 ``M_FORBIDDEN``), the address must be spelt as in that
    session, and it never answers if the session has not been validated.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv23pidunbind
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/3pid/unbind"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]

    mxid: str
    medium: str = attrs.field(validator=check_medium)
    address: str = attrs.field(repr=False)
    sid: str | None = attrs.field(default=None, validator=attrs.validators.optional(check_opaque))
    client_secret: str | None = attrs.field(
        default=None, repr=False, validator=attrs.validators.optional(check_opaque)
    )

    @property
    def body(self) -> Mapping[str, Any]:
        """The address as an object of its own, and the session if there is one."""
        body: dict[str, Any] = {
            "mxid": self.mxid,
            "threepid": {"medium": self.medium, "address": self.address},
        }
        session = {"sid": self.sid, "client_secret": self.client_secret}
        return body | {name: value for name, value in session.items() if value is not None}
