"""The chapter of registration: tokens of an identity server."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Protocol

import attrs

from nio_identity_server.testing.identity_server.bodies import arguments, broken
from nio_identity_server.testing.identity_server.policies import Policies
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Call, Route

_SERVER_NAME = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


class OpenIdProvider(Protocol):
    """A homeserver that can be asked, in the same process, whom an OpenID token proves."""

    @property
    def server_name(self) -> str:
        """The name that its user ids end in."""

    def openid_owner(self, token: str) -> str | None:
        """Give the user that a token proves, or `None`."""


class Accounts:
    """The users of an identity server and their tokens.

    Attributes:
        tokens: All that were ever issued, with their users.
        live: Those that still work.
    """

    def __init__(self, homeservers: Sequence[OpenIdProvider], policies: Policies) -> None:
        self.tokens: dict[str, str] = {}
        self.live: set[str] = set()
        self._homeservers = homeservers
        self._policies = policies

    def routes(self, prefix: str) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            Route("POST", f"{prefix}/account/register", self._register),
            Route("GET", f"{prefix}/account", self._account),
            Route("POST", f"{prefix}/account/logout", self._logout),
        ]

    def user_id(self, name: str) -> str:
        """Complete a localpart to a user id of the first homeserver; a user id stays as it is.

        Raises:
            ValueError: There is no homeserver.
        """
        if name.startswith("@"):
            return name
        if not self._homeservers:
            raise ValueError(f"Write @{name}:server.name: this identity server has no homeserver")
        return f"@{name}:{self._homeservers[0].server_name}"

    def issue(self, user_id: str) -> str:
        """Give a user a new token."""
        token = secrets.token_hex(32)
        self.tokens[token] = user_id
        self.live.add(token)
        return token

    def authenticate(self, request: Request, *, terms: bool = True) -> str:
        """Give the user whose request it is.

        Raises:
            Refusal: 401 `M_UNAUTHORIZED` for a missing or unknown token (Sydent knows no other
                word), 400 `M_BAD_JSON` for a POST without a header whose body is no JSON (there
                it looks for the token), 403 `M_TERMS_NOT_SIGNED`.
        """
        token = request.bearer
        if token is None and request.method == "GET":
            token = request.query.get("access_token")
        elif token is None:
            arguments(request)
        if token not in self.live:
            raise Refusal(401, "M_UNAUTHORIZED", "Unauthorized")
        user_id = self.tokens[token]
        if terms:
            self._policies.check(user_id)
        return user_id

    async def _register(self, call: Call) -> Reply:
        try:
            token = self._registered(call)
        except Refusal as refusal:
            reply = refusal.reply
        else:
            # `token` is the specification's name, `access_token` what Sydent first released with.
            reply = Reply.of_json({"access_token": token, "token": token})
        # Sydent has to ask the homeserver first, and what it answers late has no length.
        return attrs.evolve(reply, chunked=True)

    def _registered(self, call: Call) -> str:
        given = arguments(call.request, "matrix_server_name", "access_token")
        name, openid_token = given["matrix_server_name"], given["access_token"]
        if not isinstance(name, str) or not isinstance(openid_token, str):
            raise broken()
        if not _SERVER_NAME.fullmatch(name.lower()):
            raise Refusal(400, "M_INVALID_PARAM", "matrix_server_name must be a valid server name")
        return self.issue(self._proven(name.lower(), openid_token))

    def _proven(self, name: str, openid_token: str) -> str:
        for homeserver in self._homeservers:
            if homeserver.server_name == name:
                return _subject(homeserver, openid_token)
        raise Refusal(500, "M_UNKNOWN", "Unable to contact the Matrix homeserver (DNSLookupError)")

    async def _account(self, call: Call) -> Reply:
        return Reply.of_json({"user_id": self.authenticate(call.request)})

    async def _logout(self, call: Call) -> Reply:
        self.authenticate(call.request, terms=False)
        self.live.discard(call.request.bearer or "")
        return Reply.of_json({})


def _subject(homeserver: OpenIdProvider, openid_token: str) -> str:
    owner = homeserver.openid_owner(openid_token)
    if owner is None:
        raise Refusal(
            500, "M_UNKNOWN", "The Matrix homeserver did not include 'sub' in its response"
        )
    if owner.partition(":")[2] != homeserver.server_name:
        raise Refusal(
            500,
            "M_UNKNOWN",
            "The Matrix homeserver returned a MXID belonging to another homeserver",
        )
    return owner
