"""Being known to an identity server: terms, registration, and a token that is renewed once.

https://spec.matrix.org/v1.16/identity-service-api/#authentication
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol, TypeVar

import attrs

from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.endpoints.account import GetAccount, RegisterAccount
from nio_identity_server.endpoints.homeserver import OpenIdToken, RequestOpenIdToken
from nio_identity_server.endpoints.terms import Policy
from nio_identity_server.errors import (
    BadResponse,
    HomeserverError,
    IdentityServerError,
    MatrixError,
    RateLimited,
    RegistrationRefused,
)
from nio_identity_server.flows.line import Line
from nio_identity_server.flows.lookup import Peppers
from nio_identity_server.flows.terms import (
    AcceptTerms,
    accept_urls,
    accepted_urls,
    agree,
    offered_policies,
    pending_policies,
    sign,
)
from nio_identity_server.secret import Secret
from nio_identity_server.single_flight import SingleFlight

Result = TypeVar("Result")

_log = logging.getLogger("nio_identity_server")


class TokenStore(Protocol):
    """Keeps identity-server tokens, each under the user and the server that it belongs to."""

    def load(self, user_id: str, base_url: str) -> str | None:
        """The token of this user at this server, or None."""
        ...

    def save(self, user_id: str, base_url: str, token: str | None) -> None:
        """Keep a token in place of an older one; None forgets it."""
        ...


@attrs.define(eq=False)
class Session:
    """One user at one server.

    Attributes:
        line: What it speaks through.
        accept: The application's word on terms, or None.
        store: Where tokens outlive the process, or None.
        peppers: The server's hash details.
    """

    line: Line
    accept: AcceptTerms | None = None
    store: TokenStore | None = None
    peppers: Peppers = attrs.field(init=False)
    _token: Secret | None = None
    _unproved: Secret | None = None  # registered, but not yet known to be good and ours
    _flight: SingleFlight[Secret | IdentityServerError] = attrs.field(
        factory=SingleFlight, init=False
    )

    def __attrs_post_init__(self) -> None:
        self.peppers = Peppers(self.ask, self.line.server)

    async def ask(self, endpoint: Endpoint[Reply]) -> Reply:
        """Send a request to the identity server, with the token if it needs one.

        Raises:
            TermsNotSigned: If the server has terms that are not accepted.
            IdentityServerError: Whatever else goes wrong.
        """
        if not endpoint.authenticated:
            return await self.line.say(endpoint)
        return await self.use(lambda token: self.line.say(endpoint, token))

    async def use(self, work: Callable[[Secret], Awaitable[Result]]) -> Result:
        """Do something that needs the token.

        If the server refuses the token it is renewed once, if it wants terms they are accepted once
        (or ``TermsNotSigned`` is raised), and then the work is done again.

        Args:
            work: Sends one request, to the identity server or, with the token inside, to the
                homeserver, which hands the identity server's refusal on in its own way.
        """
        token = await self.token()
        renewed = signed = False
        while True:
            try:
                return await work(token)
            except (MatrixError, HomeserverError) as error:
                refused, unsigned = _is_token_refused(error), _is_unsigned(error)
                if not (refused and not renewed) and not (unsigned and not signed):
                    raise
            if refused:
                renewed = True
                self._drop(token, await self.line.user_id())
            else:
                signed = True
                await self._sign_pending(token)
            token = await self.token()

    async def token(self) -> Secret:
        """The token; one registration for all who wait for it."""
        if self._token is not None:
            return self._token
        outcome = await self._flight.run(self._establish)
        if isinstance(outcome, IdentityServerError):
            raise outcome
        return outcome

    async def pending_terms(self) -> tuple[Policy, ...]:
        """The policies that the user has not accepted; none if the server is content."""
        policies = await offered_policies(self.line)
        pending = pending_policies(policies, await accepted_urls(self.line)) if policies else ()
        if not pending:
            return ()
        user_id = await self.line.user_id()
        token = self._token or self._kept(user_id)
        return () if token is not None and await self._is_content(token) else pending

    async def accept_terms(self, urls: tuple[str, ...]) -> None:
        """Accept policies by their URLs; some may stay pending.

        Raises:
            TermsNotOffered: If the server does not offer one of them.
        """
        agreement = await accept_urls(self.line, urls)
        user_id = await self.line.user_id()
        token = self._token or self._kept(user_id) or await self._register(user_id)
        await sign(self.line, token, agreement)

    def surrender(self, user_id: str) -> Secret | None:
        """Give the token out of hand, to be logged out; whoever needs one again registers anew."""
        token = self._token or self._kept(user_id)
        self._token = self._unproved = None
        self.forget(user_id)
        return token

    def forget(self, user_id: str) -> None:
        """Forget the token: the server is no longer the user's."""
        try:
            if self.store is not None:
                self.store.save(user_id, self.line.server, None)
        except Exception:  # noqa: BLE001 - the application's; it must not stop what is going on
            _log.exception("a token could not be taken out of the token store")

    # -- becoming known

    async def _establish(self) -> Secret | IdentityServerError:
        try:
            user_id = await self.line.user_id()
            token = await self._resume(user_id) or await self._begin(user_id)
        except IdentityServerError as error:
            return error
        self._token = token
        return token

    async def _resume(self, user_id: str) -> Secret | None:
        """Go on with a token from before, if the server still takes it."""
        token = self._kept(user_id)
        if token is None:
            return None
        try:
            await self._prove(token, user_id)
        except MatrixError as error:
            if not _is_token_refused(error):
                raise
            self._drop(token, user_id)
            return None
        return token

    async def _begin(self, user_id: str) -> Secret:
        """Terms before anything else is said (MSC2140), then registration."""
        agreement = await agree(self.line, await offered_policies(self.line), self.accept)
        token = await self._register(user_id)
        await sign(self.line, token, agreement)
        await self._prove(token, user_id)
        return token

    async def _prove(self, token: Secret, user_id: str) -> None:
        """Make sure that the server takes the token, for ours, and has no unsigned terms."""
        try:
            return await self._check_owner(token, user_id)
        except MatrixError as error:
            if not _is_unsigned(error):
                raise
        # New terms; or, with a fresh token, they changed while we registered.
        await self._sign_pending(token)
        return await self._check_owner(token, user_id)

    async def _register(self, user_id: str) -> Secret:
        """Exchange a fresh OpenID token: it has no audience, so it is used once and forgotten."""
        openid = await self.line.ask_homeserver(RequestOpenIdToken(user_id))
        try:
            token = Secret((await self.line.say(_registration(openid))).secret)
        except RateLimited:
            raise
        except MatrixError as error:
            refusal = error
        else:
            self._unproved = token
            if self.store is not None:
                self.store.save(user_id, self.line.server, token.reveal())
            return token
        # Sydent: 403 M_UNAUTHORIZED is its list of homeservers, 500 that it could not reach ours.
        raise RegistrationRefused(refusal.status, refusal.errcode, refusal.message, refusal.server)

    async def _check_owner(self, token: Secret, user_id: str) -> None:
        account = await self.line.say(GetAccount(), token)
        if account.user_id != user_id:
            self._drop(token, user_id)
            raise BadResponse(self.line.server, "it takes the token for another user's")

    async def _is_content(self, token: Secret) -> bool:
        """Whether the server takes the token and has no terms left to be signed."""
        try:
            await self.line.say(GetAccount(), token)
        except MatrixError as error:
            if not _is_token_refused(error) and not _is_unsigned(error):
                raise
            return False
        return True

    def _kept(self, user_id: str) -> Secret | None:
        """A token from before that may still be good."""
        return self._unproved or self._stored(user_id)

    def _stored(self, user_id: str) -> Secret | None:
        text = None if self.store is None else self.store.load(user_id, self.line.server)
        return None if text is None else Secret(text)

    def _drop(self, token: Secret, user_id: str) -> None:
        """Drop a token that was refused; one that somebody else has got meanwhile stays."""
        if self._token == token:
            self._token = None
        if self._unproved == token:
            self._unproved = None
        if self._stored(user_id) == token:
            self.forget(user_id)

    async def _sign_pending(self, token: Secret) -> None:
        policies = await offered_policies(self.line)
        if not policies:
            raise BadResponse(self.line.server, "it wants terms to be signed but offers none")
        await sign(self.line, token, await agree(self.line, policies, self.accept))


def _registration(openid: OpenIdToken) -> RegisterAccount:
    return RegisterAccount(
        openid.access_token, openid.token_type, openid.matrix_server_name, openid.expires_in
    )


def _is_token_refused(error: MatrixError | HomeserverError) -> bool:
    """401 anywhere; and what Synapse makes of it when it hands it on: 400 ``M_UNAUTHORIZED``.

    Not 403 ``M_UNAUTHORIZED``, which is about what is asked: renewing would go on for ever.
    """
    if isinstance(error, HomeserverError):
        return (error.status, error.errcode) == (400, "M_UNAUTHORIZED")
    return error.status == HTTPStatus.UNAUTHORIZED


def _is_unsigned(error: MatrixError | HomeserverError) -> bool:
    return (error.status, error.errcode) == (403, "M_TERMS_NOT_SIGNED")
