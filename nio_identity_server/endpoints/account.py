"""The user's account at an identity server: the token, and whose it is.

https://spec.matrix.org/v1.16/identity-service-api/#authentication
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import msgspec

from nio_identity_server.endpoint import Endpoint

# It has to stand in a header.
_SENDABLE = re.compile(r"[!-~]+")


def _check_sendable(
    _: object, attribute: attrs.Attribute[Any], value: str | msgspec.UnsetType
) -> None:
    if isinstance(value, str) and not _SENDABLE.fullmatch(value):
        raise ValueError(f"{attribute.name} cannot be sent in a header")


@attrs.frozen
class Registration:
    """A token of an identity server, under at least one of two names.

    Attributes:
        token: The specification's name.
        access_token: What Sydent said first; it answers both, with the same value.
    """

    token: str | msgspec.UnsetType = attrs.field(
        default=msgspec.UNSET, repr=False, validator=_check_sendable
    )
    access_token: str | msgspec.UnsetType = attrs.field(
        default=msgspec.UNSET, repr=False, validator=_check_sendable
    )

    def __attrs_post_init__(self) -> None:
        """Refuse a reply that holds no token."""
        if not self.secret:
            raise ValueError("Object missing required field `token`")

    @property
    def secret(self) -> str:
        """The token itself, by whichever name it came."""
        return self.token or self.access_token or ""


@attrs.frozen
class RegisterAccount(Endpoint[Registration]):
    """POST /_matrix/identity/v2/account/register: exchange an OpenID token for an access token.

    The fields are the homeserver's answer to ``RequestOpenIdToken``. Sydent gives a new token each
    time it is asked, and none ever expires. It answers 500 ``M_UNKNOWN`` when the OpenID token is
    bad or the homeserver cannot be reached, and 403 ``M_UNAUTHORIZED`` when it does not serve that
    homeserver.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2accountregister
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/account/register"
    reply: ClassVar[Any] = Registration

    access_token: str = attrs.field(repr=False)
    token_type: str
    matrix_server_name: str
    expires_in: int

    @property
    def body(self) -> Mapping[str, Any]:
        """The OpenID token as the homeserver gave it."""
        return attrs.asdict(self)


@attrs.frozen
class Account:
    """Who holds a token.

    Attributes:
        user_id: The Matrix ID of the user who registered the token.
    """

    user_id: str


@attrs.frozen
class GetAccount(Endpoint[Account]):
    """GET /_matrix/identity/v2/account: whose token it is.

    The cheapest way to learn whether token and terms are in order: 401 ``M_UNAUTHORIZED`` or 403
    ``M_TERMS_NOT_SIGNED``, which a homeserver that calls the identity server for us would hide.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2account
    """

    path: ClassVar[str] = "/_matrix/identity/v2/account"
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Account


@attrs.frozen
class Logout(Endpoint[dict[str, Any]]):
    """POST /_matrix/identity/v2/account/logout: make the token worthless.

    The only POST without a body. Sydent needs no signed terms for it, and says ``M_UNAUTHORIZED``
    where the specification's example says ``M_UNKNOWN_TOKEN``.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2accountlogout
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/account/logout"
    authenticated: ClassVar[bool] = True
    reply: ClassVar[Any] = dict[str, Any]
