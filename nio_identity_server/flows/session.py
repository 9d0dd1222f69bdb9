"""Being known to an identity server: terms, registration, a token that is renewed once.

https://spec.matrix.org/v1.16/identity-service-api/#authentication
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.terms import Policy
from nio_identity_server.errors import (
    BadResponse,
    HomeserverError,
    IdentityServerError,
    MatrixError,
)
from nio_identity_server.flows.inspection import offered_policies
from nio_identity_server.flows.line import Line
from nio_identity_server.flows.lookup import Peppers
from nio_identity_server.flows.obstacles import Obstacle, obstacle_of
from nio_identity_server.flows.registration import register
from nio_identity_server.flows.store import TokenStore, keep_token
from nio_identity_server.flows.terms import (
    ASKING,
    AcceptTerms,
    accept_urls,
    accepted_urls,
    agree,
    pending_policies,
    sign,
)
from nio_identity_server.secret import Secret
from nio_identity_server.single_flight import SingleFlight

Result = TypeVar("Result")

_log = logging.getLogger("nio_identity_server")


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
    _registering: SingleFlight[Secret | IdentityServerError] = attrs.field(
        factory=SingleFlight, init=False
    )
    _signing: SingleFlight[IdentityServerError | None] = attrs.field(
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
        tried: set[Obstacle] = set()
        obstacle = None
        while True:
            token = await self.token()
            try:
                if obstacle is Obstacle.TERMS:
                    await self._sign_once(token)
                return await work(token)
            except (MatrixError, HomeserverError) as error:
                obstacle = obstacle_of(error)
                if obstacle is None or obstacle in tried:
                    raise
            tried.add(obstacle)
            if obstacle is Obstacle.TOKEN:
                self._drop(token, await self.line.user_id())

    async def token(self) -> Secret:
        """The token; one registration for all who wait for it.

        Raises:
            RuntimeError: Inside the ``accept_terms`` callback, which is what it would wait for.
        """
        if self._token is not None:
            return self._token
        if ASKING.get() is self.line:
            raise RuntimeError("accept_terms= cannot make calls that wait for its own answer")
        return _result(await self._flight.run(self._establish))

    async def pending_terms(self) -> tuple[Policy, ...]:
        """The policies that the user has not accepted; none if the server is content."""
        policies = await offered_policies(self.line.say)
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
        if not agreement.post:
            return
        user_id = await self.line.user_id()
        token = self._token or await self._registered(user_id)
        try:
            await sign(self.line, token, agreement)
        except MatrixError as error:
            if obstacle_of(error) is not Obstacle.TOKEN:
                raise
            self._drop(token, user_id)
            await sign(self.line, await self._registered(user_id), agreement)

    def surrender(self, user_id: str) -> Secret | None:
        """Give the token out of hand, to be logged out; whoever needs one again registers anew."""
        token = self._token or self._unproved
        try:
            token = token or self._stored(user_id)
        except Exception as error:  # noqa: BLE001 - the application's; nobody is kept from leaving
            _log.warning("the token store could not be read (%s)", type(error).__name__)
        self._token = self._unproved = None
        self.forget(user_id)
        return token

    def forget(self, user_id: str) -> None:
        """Forget the token: the server is no longer the user's."""
        keep_token(self.store, user_id, self.line.server, None)

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
            if obstacle_of(error) is not Obstacle.TOKEN:
                raise
            self._drop(token, user_id)
            return None
        return token

    async def _begin(self, user_id: str) -> Secret:
        """Terms before anything else is said (MSC2140), then registration."""
        agreement = await agree(self.line, await offered_policies(self.line.say), self.accept)
        token = await self._registered(user_id)
        await sign(self.line, token, agreement)
        await self._prove(token, user_id)
        return token

    async def _registered(self, user_id: str) -> Secret:
        """A token of ours, whatever terms are unsigned; one registration for all who wait."""
        return _result(await self._registering.run(lambda: self._keep_or_register(user_id)))

    async def _keep_or_register(self, user_id: str) -> Secret | IdentityServerError:
        try:
            token = self._kept(user_id)
            if token is not None and await self._is_ours(token, user_id):
                return token
            return await self._register(user_id)
        except IdentityServerError as error:
            return error

    async def _is_ours(self, token: Secret, user_id: str) -> bool:
        """Whether the server takes the token, and for ours."""
        try:
            await self._check_owner(token, user_id)
        except MatrixError as error:
            obstacle = obstacle_of(error)
            if obstacle is None:
                raise
            return obstacle is Obstacle.TERMS  # asked about only after whose it is
        return True

    async def _prove(self, token: Secret, user_id: str) -> None:
        """Make sure that the server takes the token, for ours, and has no unsigned terms."""
        try:
            return await self._check_owner(token, user_id)
        except MatrixError as error:
            if obstacle_of(error) is not Obstacle.TERMS:
                raise
        # New terms; or, with a fresh token, they changed while we registered.
        await self._sign_once(token)
        return await self._check_owner(token, user_id)

    async def _register(self, user_id: str) -> Secret:
        token = await register(self.line, user_id)
        self._unproved = token
        keep_token(self.store, user_id, self.line.server, token)
        return token

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
            if obstacle_of(error) is None:
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

    async def _sign_once(self, token: Secret) -> None:
        """Sign what is pending; the application is asked once for all who wait."""
        outcome = await self._signing.run(lambda: self._sign(token))
        if outcome is not None:
            raise outcome.again()

    async def _sign(self, token: Secret) -> IdentityServerError | None:
        try:
            await self._sign_pending(token)
        except IdentityServerError as error:
            return error
        return None

    async def _sign_pending(self, token: Secret) -> None:
        policies = await offered_policies(self.line.say)
        if not policies:
            raise BadResponse(self.line.server, "it wants terms to be signed but offers none")
        await sign(self.line, token, await agree(self.line, policies, self.accept))


def _result(outcome: Secret | IdentityServerError) -> Secret:
    if isinstance(outcome, IdentityServerError):
        raise outcome.again()
    return outcome
