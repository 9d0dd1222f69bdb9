"""What the homeserver does with the user's addresses, at an identity server too.

https://spec.matrix.org/v1.16/client-server-api/#adding-account-administrative-contact-information
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from nio_identity_server.endpoint import Endpoint, Receiver
from nio_identity_server.grammar import check_medium, check_opaque


@attrs.frozen
class Account3PID:
    """An address that the homeserver knows to be the user's.

    Attributes:
        medium: ``email`` or ``msisdn``.
        address: The address.
        validated_at: When it was proved, in milliseconds of Unix time.
        added_at: When the homeserver learnt of it.
    """

    medium: str
    address: str = attrs.field(repr=False)
    validated_at: int
    added_at: int


@attrs.frozen
class Account3PIDs:
    """The addresses of an account.

    Attributes:
        threepids: All of them; the specification lets a homeserver without any leave the key out.
    """

    threepids: tuple[Account3PID, ...] = ()


@attrs.frozen
class GetAccount3PIDs(Endpoint[Account3PIDs]):
    """GET .../account/3pid: the addresses that the homeserver keeps for the account.

    They need not be bound anywhere, and what is bound at an identity server only is not here.

    https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3account3pid
    """

    path: ClassVar[str] = "/_matrix/client/v3/account/3pid"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Account3PIDs


@attrs.frozen
class Bind3PID(Endpoint[dict[str, Any]]):
    """POST .../account/3pid/bind: bind a validated address at an identity server.

    Synapse passes most refusals of the identity server on, but makes 400 ``M_UNAUTHORIZED`` of its
    401, and 500 ``M_UNKNOWN`` of a server that cannot be reached.

    https://spec.matrix.org/v1.16/client-server-api/#post_matrixclientv3account3pidbind
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/client/v3/account/3pid/bind"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]

    sid: str = attrs.field(validator=check_opaque)
    client_secret: str = attrs.field(repr=False, validator=check_opaque)
    # Host and port without a scheme: Synapse answers 400 to "https://...".
    id_server: str
    id_access_token: str = attrs.field(repr=False)

    @property
    def body(self) -> Mapping[str, Any]:
        """All fields."""
        return attrs.asdict(self)


@attrs.frozen
class UnbindResult:
    """What became of an unbind.

    Attributes:
        id_server_unbind_result: ``success``; or ``no-support``, and the address may still be found.
    """

    id_server_unbind_result: str

    @property
    def succeeded(self) -> bool:
        """Whether the identity server has forgotten the address; only its plain word counts."""
        return self.id_server_unbind_result == "success"


@attrs.frozen
class Unbind3pidFromAccount(Endpoint[UnbindResult]):
    """POST .../account/3pid/unbind: remove an address from an identity server.

    The homeserver signs the request, so neither a token of the identity server nor signed terms are
    needed. Without ``id_server`` it uses the servers that it remembers. Synapse then compares the
    address exactly, says ``no-support`` to one in another case, and ``success`` to one that was
    never bound.

    https://spec.matrix.org/v1.16/client-server-api/#post_matrixclientv3account3pidunbind
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/client/v3/account/3pid/unbind"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = UnbindResult

    medium: str = attrs.field(validator=check_medium)
    address: str = attrs.field(repr=False)
    id_server: str | None = None

    @property
    def body(self) -> Mapping[str, Any]:
        """The fields that have a value."""
        fields = attrs.asdict(self, recurse=False)
        return {name: value for name, value in fields.items() if value is not None}
