"""What this package asks of the user's homeserver.

https://spec.matrix.org/v1.16/client-server-api/#client-config
https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3accountwhoami
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from nio_identity_server.endpoint import Endpoint, Receiver

# Sync delivers account data of any size; Synapse stores 100 kB without a word.
_ACCOUNT_DATA_CAP = 1024 * 1024


_ACCOUNT_DATA = "/_matrix/client/v3/user/{user_id}/account_data/{event_type}"


@attrs.frozen
class GetAccountData(Endpoint[Any]):
    """GET .../user/{userId}/account_data/{type}: the content of one event.

    The reply is any JSON value: a content that is not an object is present, and unusable.

    https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3useruseridaccount_datatype
    """

    path: ClassVar[str] = _ACCOUNT_DATA
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Any
    cap: ClassVar[int] = _ACCOUNT_DATA_CAP

    user_id: str
    event_type: str


@attrs.frozen
class SetAccountData(Endpoint[dict[str, Any]]):
    """PUT .../user/{userId}/account_data/{type}: store the content of one event.

    https://spec.matrix.org/v1.16/client-server-api/#put_matrixclientv3useruseridaccount_datatype
    """

    method: ClassVar[str] = "PUT"
    path: ClassVar[str] = _ACCOUNT_DATA
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]

    user_id: str
    event_type: str
    content: Mapping[str, Any]

    @property
    def body(self) -> Mapping[str, Any]:
        """The content itself."""
        return self.content


@attrs.frozen
class TokenOwner:
    """Whose access token it is.

    Attributes:
        user_id: The user's Matrix ID.
    """

    user_id: str


@attrs.frozen
class GetTokenOwner(Endpoint[TokenOwner]):
    """GET .../account/whoami: who the access token belongs to.

    https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3accountwhoami
    """

    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    path: ClassVar[str] = "/_matrix/client/v3/account/whoami"
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = TokenOwner


@attrs.frozen
class OpenIdToken:
    """What proves to an identity server who the user is; the homeserver takes it for nothing else.

    Attributes:
        access_token: The proof.
        token_type: ``Bearer``.
        matrix_server_name: Whom the identity server has to ask about it.
        expires_in: For how many seconds it is good.
    """

    access_token: str = attrs.field(repr=False)
    token_type: str
    matrix_server_name: str
    expires_in: int


@attrs.frozen
class RequestOpenIdToken(Endpoint[OpenIdToken]):
    """POST .../user/{userId}/openid/request_token: a proof of who the user is.

    The body is an empty object: Synapse answers 400 ``M_NOT_JSON`` to no body at all.

    https://spec.matrix.org/v1.16/client-server-api/#post_matrixclientv3useruseridopenidrequest_token
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/client/v3/user/{user_id}/openid/request_token"
    receiver: ClassVar[Receiver] = Receiver.HOMESERVER
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = OpenIdToken

    user_id: str

    @property
    def body(self) -> Mapping[str, Any]:
        """Nothing yet."""
        return {}
