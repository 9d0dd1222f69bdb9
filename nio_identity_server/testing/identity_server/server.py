"""A Matrix identity server for tests, answering as Sydent 2.6.1 does."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from nio_identity_server.testing.identity_server.accounts import Accounts, OpenIdProvider
from nio_identity_server.testing.identity_server.discovery import Discovery
from nio_identity_server.testing.identity_server.lookup import Lookup, bound_key
from nio_identity_server.testing.identity_server.policies import Policies
from nio_identity_server.testing.identity_server.terms import Terms
from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Routes
from nio_identity_server.testing.server import LoopbackServer

_PREFIX = "/_matrix/identity/v2"


class MatrixIdentityServer(LoopbackServer):
    """An identity server with accounts, terms and lookup.

    Args:
        homeserver: Whom to ask about OpenID tokens, directly in this process: one homeserver or
            several; `None` for nobody, so that every registration fails.
        pepper: The first pepper; made up when `None`.
        host: As for `LoopbackServer`.
        port: As for `LoopbackServer`.
        ssl_context: As for `LoopbackServer`.

    Attributes:
        foreign_tokens: Tokens that clients sent and that this server has never issued, in order.
    """

    # Sydent 2.6.1 throws the connection away beyond 512 KiB.
    max_body = 524_288

    def __init__(
        self,
        homeserver: OpenIdProvider | Sequence[OpenIdProvider] | None = None,
        *,
        pepper: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host=host, port=port, ssl_context=ssl_context)
        self.foreign_tokens: list[str] = []
        self._policies = Policies()
        self._accounts = Accounts(_homeservers(homeserver), self._policies)
        self._lookup = Lookup(self._accounts, pepper)
        terms = Terms(self._accounts, self._policies)
        chapters = (Discovery(), self._accounts, terms, self._lookup)
        self._table = Routes(route for chapter in chapters for route in chapter.routes(_PREFIX))

    @property
    def tokens(self) -> dict[str, str]:
        """All tokens that were ever issued, with their users; revoked ones too."""
        return self._accounts.tokens

    @property
    def live_tokens(self) -> set[str]:
        """The tokens that still work."""
        return self._accounts.live

    @property
    def accepted_terms(self) -> dict[str, set[str]]:
        """User id -> the URLs of terms that this user has accepted."""
        return self._policies.accepted

    @property
    def pepper(self) -> str:
        """The current pepper."""
        return self._lookup.pepper

    @property
    def algorithms(self) -> list[str]:
        """The lookup algorithms on offer; change the list to offer others."""
        return self._lookup.algorithms

    @property
    def bindings(self) -> dict[tuple[str, str], str]:
        """`(medium, address)` -> user id; email addresses are folded."""
        return self._lookup.bound

    def clear(self) -> None:
        """Forget what was seen, `foreign_tokens` too; tokens, terms and bindings stay."""
        super().clear()
        self.foreign_tokens.clear()

    def issue_token(self, user_id: str) -> str:
        """Give a user a token without any registration."""
        return self._accounts.issue(user_id)

    def revoke_tokens(self) -> None:
        """End all tokens: they are answered with 401 `M_UNAUTHORIZED` from now on."""
        self.live_tokens.clear()

    def require_terms(self, policies: Mapping[str, Mapping[str, Any]]) -> None:
        """Ask every user to accept these policies, again if need be; `{}` for none.

        Args:
            policies: Name -> `{"version": ..., language: {"name": ..., "url": ...}}`.
        """
        self._policies.require(policies)

    def rotate_pepper(self, pepper: str | None = None) -> str:
        """Take another pepper, made up when `None`; gives it."""
        return self._lookup.rotate(pepper)

    def bind(self, medium: str, address: str, user_id: str) -> None:
        """Bind an address to a user, as if they had validated it."""
        self.bindings[bound_key(medium, address)] = user_id

    def unbind(self, medium: str, address: str) -> None:
        """Remove a binding.

        Raises:
            KeyError: The address is not bound.
        """
        del self.bindings[bound_key(medium, address)]

    def _arrived(self, request: Request) -> None:
        token = request.access_token
        if token is not None and token not in self.tokens:
            self.foreign_tokens.append(token)
        super()._arrived(request)

    def _routes(self) -> Routes:
        return self._table

    def _unknown_path(self, request: Request) -> Reply:  # noqa: ARG002 -- all are alike
        return Reply.of_html(404, "No Such Resource")

    def _unknown_method(self, request: Request) -> Reply:
        # Twisted knows three methods and takes every other for nonsense.
        if request.method in ("GET", "HEAD", "POST"):
            return Reply.of_html(405, "Method Not Allowed")
        return Reply.of_html(501, "Huh?")


def _homeservers(
    given: OpenIdProvider | Sequence[OpenIdProvider] | None,
) -> Sequence[OpenIdProvider]:
    if given is None:
        return ()
    return given if isinstance(given, Sequence) else (given,)
