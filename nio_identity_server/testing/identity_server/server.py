"""A Matrix identity server for tests, answering as Sydent 2.6.1 does."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from nio_identity_server.testing.identity_server.accounts import Accounts, OpenIdProvider
from nio_identity_server.testing.identity_server.association import Association
from nio_identity_server.testing.identity_server.binder import Binder, StoredInvite
from nio_identity_server.testing.identity_server.discovery import Discovery
from nio_identity_server.testing.identity_server.invitation import Invitation
from nio_identity_server.testing.identity_server.keys import Keys
from nio_identity_server.testing.identity_server.lookup import Lookup, bound_key
from nio_identity_server.testing.identity_server.policies import Policies
from nio_identity_server.testing.identity_server.post import Mail, Post, Sms
from nio_identity_server.testing.identity_server.sessions import Sessions
from nio_identity_server.testing.identity_server.terms import Terms
from nio_identity_server.testing.identity_server.validation import Validation
from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Routes
from nio_identity_server.testing.server import LoopbackServer

_PREFIX = "/_matrix/identity/v2"


class MatrixIdentityServer(LoopbackServer):
    """An identity server: accounts, terms, lookup, validation, associations and invitations.

    Args:
        homeserver: Whom to ask about OpenID tokens and to tell of associations, directly in this
            process: one homeserver or several; `None` for nobody, so that every registration fails.
        pepper: The first pepper; made up when `None`.
        server_name: The name under which it signs; `None` for its `netloc`.
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
        server_name: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host=host, port=port, ssl_context=ssl_context)
        self.foreign_tokens: list[str] = []
        self._policies = Policies()
        self._server_name = server_name
        homeservers = _homeservers(homeserver)
        accounts = self._accounts = Accounts(homeservers, self._policies)
        self._lookup = Lookup(accounts, pepper)
        self._sessions, self._post = Sessions(), Post()
        self._binder = Binder(self._lookup, homeservers, lambda: self.server_name)
        self._validation = Validation(accounts, self._sessions, self._post, lambda: self.url)
        self._association = Association(accounts, self._sessions, self._binder)
        keys = Keys(self._binder, lambda: self.url)
        chapters = (
            Discovery(),
            accounts,
            Terms(accounts, self._policies),
            self._lookup,
            self._validation,
            self._association,
            Invitation(accounts, self._binder, keys, self._post, lambda: self.url),
            keys,
        )
        self._table = Routes(route for chapter in chapters for route in chapter.routes(_PREFIX))

    @property
    def server_name(self) -> str:
        """The name under which it signs.

        Raises:
            RuntimeError: It follows the port, and the server has not been started yet.
        """
        return self.netloc if self._server_name is None else self._server_name

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

    @property
    def stored_invites(self) -> list[StoredInvite]:
        """The invitations that wait for their addresses to be bound."""
        return list(self._binder.invites)

    @property
    def mails(self) -> list[Mail]:
        """Every mail that was sent, in order."""
        return self._post.mails

    @property
    def sms(self) -> list[Sms]:
        """Every text message that was sent, in order."""
        return self._post.sms

    @property
    def refused_countries(self) -> set[str]:
        """Calling codes like `"44"` to which no text message is sent; change the set."""
        return self._validation.refused_countries

    @property
    def supports_unbind(self) -> bool:
        """Whether there is a path to unbind at; otherwise it is answered with a 404 page."""
        return self._association.supports_unbind

    @supports_unbind.setter
    def supports_unbind(self, supported: bool) -> None:
        self._association.supports_unbind = supported

    def clear(self) -> None:
        """Forget what was seen and sent, `foreign_tokens`, `mails` and `sms` too.

        Tokens, terms, sessions, bindings and invitations stay.
        """
        super().clear()
        for seen in (self.foreign_tokens, self.mails, self.sms):
            seen.clear()

    def issue_token(self, user_id: str) -> str:
        """Give a user a token without any registration."""
        return self._accounts.issue(user_id)

    def revoke_tokens(self) -> None:
        """End all tokens: they are answered with 401 `M_UNAUTHORIZED` from now on."""
        self.live_tokens.clear()

    def require_terms(self, policies: Mapping[str, Mapping[str, Any]] | None = None) -> list[str]:
        """Ask every user to accept these policies, again if need be; `{}` for none.

        Args:
            policies: Name -> `{"version": ..., language: {"name": ..., "url": ...}}`; `None` for a
                privacy policy in English, of a new version each time.

        Returns:
            The URLs of all their documents, of which a user accepts one for each policy.
        """
        return self._policies.require(policies)

    def rotate_pepper(self, pepper: str | None = None) -> str:
        """Take another pepper, made up when `None`; gives it."""
        return self._lookup.rotate(pepper)

    def bind(self, medium: str, address: str, user_id: str) -> None:
        """Bind an address to a user, as if they had validated it.

        Invitations that wait for it are delivered to the user's homeserver.

        Args:
            medium: `"email"` or `"msisdn"`.
            address: An email address, or a phone number in digits alone.
            user_id: The user; a localpart is one of the first homeserver.

        Raises:
            ValueError: A phone number with anything but digits, or a localpart without homeserver.
        """
        if medium == "msisdn" and not address.isdecimal():
            raise ValueError("A phone number is bound by its digits alone, without a plus")
        self._binder.bind(medium, address, self._accounts.user_id(user_id))

    def unbind(self, medium: str, address: str) -> None:
        """Remove a binding.

        Raises:
            KeyError: The address is not bound.
        """
        del self.bindings[bound_key(medium, address)]

    def binding(self, medium: str, address: str) -> str | None:
        """Give the user to whom an address is bound, or `None`."""
        return self._binder.mxid(medium, address)

    def expire_validations(self) -> None:
        """End all validation sessions that exist; requesting another token revives one."""
        self._sessions.expire()

    def refuse_mail(self, address: str) -> None:
        """Send no mail to this address from now on: the attempt ends in a 500."""
        self._post.refused.add(address.casefold())

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
