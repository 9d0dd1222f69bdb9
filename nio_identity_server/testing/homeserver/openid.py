"""Proofs of identity for other services: OpenID tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_LIFETIME_S = 3600


class OpenId:
    """The OpenID tokens of a homeserver, and the two ends of the API that give and check them.

    Attributes:
        tokens: All that were ever issued, with the user that each proves.
    """

    def __init__(self, accounts: Accounts, server_name: Callable[[], str]) -> None:
        self.tokens: dict[str, str] = {}
        self._accounts = accounts
        self._server_name = server_name
        self._expired: set[str] = set()

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            *client_routes("POST", "/user/{user_id}/openid/request_token", self._request_token),
            Route("GET", "/_matrix/federation/v1/openid/userinfo", self._userinfo),
        ]

    def owner(self, token: str) -> str | None:
        """Give the user that a token proves, or `None` if it proves nothing (any more)."""
        return None if token in self._expired else self.tokens.get(token)

    def expire(self) -> None:
        """End all tokens that were issued."""
        self._expired.update(self.tokens)

    async def _request_token(self, call: Call) -> Reply:
        account = self._accounts.owner(call, "Cannot request tokens for other users.")
        json_object(call.request)
        token = secrets.token_urlsafe(18)
        self.tokens[token] = account.user_id
        return Reply.of_json(
            {
                "access_token": token,
                "token_type": "Bearer",
                "matrix_server_name": self._server_name(),
                "expires_in": _LIFETIME_S,
            }
        )

    async def _userinfo(self, call: Call) -> Reply:
        token = call.request.query.get("access_token")
        if token is None:
            raise Refusal(401, "M_MISSING_TOKEN", "Access Token required")
        owner = self.owner(token)
        if owner is None:
            raise Refusal(401, "M_UNKNOWN_TOKEN", "Access Token unknown or expired")
        return Reply.of_json({"sub": owner})
