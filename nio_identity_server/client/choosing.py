"""Choosing: what the user of one client has chosen, following it, and writing it.

What only some calls need is imported by those: half of all classes are for speaking to a server,
and a bot that starts should not wait for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from yarl import URL

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.client.account import Account
from nio_identity_server.client.accounts import Accounts
from nio_identity_server.client.answer import Answer
from nio_identity_server.client.change import Change
from nio_identity_server.client.config import IdentityServerConfig
from nio_identity_server.client.connections import Connections
from nio_identity_server.client.default import DefaultServer
from nio_identity_server.client.gate import Gate
from nio_identity_server.client.generation import Generation
from nio_identity_server.client.homeserver import Homeserver, NioClient
from nio_identity_server.client.listeners import Listener, Listeners
from nio_identity_server.client.observer import Observer
from nio_identity_server.client.reader import Reader
from nio_identity_server.client.transport import Transport
from nio_identity_server.client.trouble import out_of_time
from nio_identity_server.client.writer import Writer
from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.errors import (
    ForbiddenAddress,
    IdentityServerChanged,
    IdentityServerError,
    InvalidBaseUrl,
    NotConfirmed,
)
from nio_identity_server.preference.account_data import (
    Chosen,
    Disabled,
    Known,
    NotSet,
    Preference,
)
from nio_identity_server.preference.resolution import Resolution

if TYPE_CHECKING:
    from nio_identity_server.flows.inspection import ServerInfo
    from nio_identity_server.flows.session import Session
    from nio_identity_server.secret import Secret

LOGOUT_TIMEOUT = 5.0
"""Seconds for telling a server that it is being left."""

_log = logging.getLogger("nio_identity_server")


class Choosing:
    """The half of :class:`IdentityServer` that is about the choice; it holds all the parts."""

    def __init__(self, client: NioClient, config: IdentityServerConfig | None = None) -> None:
        self.config = config = config or IdentityServerConfig()
        self._listeners = Listeners()
        self._accounts = Accounts(client, self._changed)
        self._connections = Connections(client, config.ssl_context)
        self._transport = Transport(self._connections)
        self._default = DefaultServer(config.default, self._fetch)
        homeserver = Homeserver(client, config.homeserver_timeout)
        self._reader = Reader(self._accounts, homeserver, config.named_in_code)
        self._writer = Writer(self._reader)
        self._gate = Gate(self._accounts, self._reader, self._default, config)
        self.observer = Observer(self._accounts, self._reader, config.named_in_code)

    # -- what is chosen

    @property
    def preference(self) -> Preference:
        """What is known now of the user's choice; never waits."""
        return self._accounts.current().choice.preference

    @property
    def resolution(self) -> Resolution:
        """The server that calls would go to, as far as it is known now; never waits."""
        return self._gate.resolution(self._accounts.current())

    async def resolve(self) -> Resolution:
        """Wait until it is known which server calls go to, asking the homeserver if need be.

        Raises:
            NotConfirmed: If it cannot be learned.
        """
        while True:
            account = self._accounts.current()
            try:
                return await self._gate.settle(account)
            except IdentityServerChanged:
                continue  # another user has logged in: tell about that one

    async def refresh(self) -> Resolution:
        """Read the choice, and a default that is published, again now.

        Raises:
            NotConfirmed: If the homeserver does not tell; what was known stays known.
        """
        while True:
            try:
                failure = await self._gate.read_now(self._accounts.current())
            except IdentityServerChanged:
                continue  # another user has logged in: tell about that one
            if failure:
                raise NotConfirmed(failure)
            self._default.forget()
            return await self.resolve()

    def on_change(self, callback: Listener) -> Callable[[], None]:
        """Call back with a :class:`Change` whenever the user's choice changes.

        Not for the echo of our own write, nor for the first thing that is learned. The callback is
        sync or async and runs as a task of its own, so it may make calls and even ``set``; what it
        raises is logged.

        Returns:
            A callable that ends it.
        """
        return self._listeners.add(callback)

    # -- choosing

    async def set(self, url: str | BaseUrl) -> None:
        """Choose an identity server for the user, in all of their clients.

        The server is asked first whether it is one; nothing is written if it does not answer.

        Args:
            url: Its base URL: public and ``https``, or named in the configuration.

        Raises:
            InvalidBaseUrl: If it is no base URL, or ``http`` and not trusted.
            ForbiddenAddress: If it must not be contacted.
            NotConfirmed: If it is not known what the user has chosen so far.
            CannotConnect, MatrixError, BadResponse: If it does not answer as an identity server.
            HomeserverError: If the homeserver refused to store it; nothing has changed.
            OutcomeUnknown: If it may have been stored; the choice is unconfirmed.
        """
        from nio_identity_server.endpoints.discovery import Ping  # noqa: PLC0415

        base_url = self._choosable(url)
        account = self._accounts.current()
        await self._gate.know(account)
        await self._ask(base_url, Ping())
        await self._write(account, Chosen(base_url))

    async def disable(self) -> None:
        """Choose to use no identity server, in all of the user's clients: write ``null``.

        Raises:
            HomeserverError: If the homeserver refused to store it; nothing has changed.
            OutcomeUnknown: If it may have been stored; the choice is unconfirmed.
        """
        await self._write(self._accounts.current(), Disabled())

    async def reset(self) -> None:
        """Take the choice back, so that each client uses its default: write ``{}``.

        Raises:
            HomeserverError: If the homeserver refused to store it; nothing has changed.
            OutcomeUnknown: If it may have been stored; the choice is unconfirmed.
        """
        await self._write(self._accounts.current(), NotSet())

    async def check(self, url: str | BaseUrl) -> ServerInfo:
        """Look at an identity server without choosing it: versions and policies.

        Possible also while identity servers are switched off: it sends nothing of the user, and
        whoever is about to switch them on must be able to look first. Like everything, it waits
        until the choice is known.

        Raises:
            InvalidBaseUrl, ForbiddenAddress: If it could not be chosen.
            NotConfirmed: If it is not known what the user has chosen.
            CannotConnect, MatrixError, BadResponse: If it does not answer as an identity server.
        """
        from nio_identity_server.flows.inspection import inspect  # noqa: PLC0415

        base_url = self._choosable(url)
        await self._gate.know(self._accounts.current())
        return await inspect(base_url, partial(self._ask, base_url))

    # -- the end

    async def close(self) -> None:
        """Close every connection; calls that run or are held back end.

        The next call opens new connections, as it is with nio's own ``close()``.
        """
        self._accounts.current().close()
        self._default.cancel()
        await self._connections.close()

    async def _session(self) -> Session:
        """The session of the generation that holds now; waits at the gate."""
        return self._session_of(await self._gate.enter())

    def _session_of(self, generation: Generation) -> Session:
        if generation.session is None:
            from nio_identity_server.client.line import (  # noqa: PLC0415 - see the top
                GenerationLine,
                open_session,
            )

            trusted = self._trusts(generation.base_url)
            line = GenerationLine(generation, self._gate, self._reader, self._transport, trusted)
            generation.session = open_session(line, self.config)
        return generation.session

    async def _write(self, account: Account, value: Chosen | Disabled | NotSet) -> None:
        await self._writer.write(account, value, partial(self._try_to_log_out, account, value))

    async def _leave_for_good(
        self, account: Account, tell: Callable[[Exception | None], object]
    ) -> None:
        """Write that no server is used any more; tell what became of the logout before it."""

        async def log_out() -> None:
            tell(await self._log_out(account, Disabled()))

        await self._writer.write(account, Disabled(), log_out)

    async def _try_to_log_out(self, account: Account, value: Known) -> None:
        error = await self._log_out(account, value)
        if error is not None:
            _log.info("the identity server that is being left could not be told: %s", error)

    async def _log_out(self, account: Account, value: Known) -> IdentityServerError | None:
        """Give back the token of the server that is about to be left; tell how that failed."""
        generation = self._left_by(account, value)
        if generation is None:
            return None
        from nio_identity_server.endpoints.account import Logout  # noqa: PLC0415

        token = self._session_of(generation).surrender(self._reader.owner)
        if token is None:
            return None
        try:
            async with asyncio.timeout(LOGOUT_TIMEOUT):
                await generation.run(self._ask(generation.base_url, Logout(), token))
        except IdentityServerError as error:
            return error
        except TimeoutError:
            return out_of_time(generation.base_url, LOGOUT_TIMEOUT)
        return None

    def _left_by(self, account: Account, value: Known) -> Generation | None:
        """The generation that ends with a write, if its server may have a token of ours."""
        if value == account.choice.known:
            return None
        if account.generation is None and self.config.token_store is not None:
            # No call was made yet, but a token may be there from an earlier run.
            resolution = self._gate.resolution(account)
            return None if resolution.base_url is None else account.enter(resolution)
        generation = account.generation
        return None if generation is None or generation.session is None else generation

    def _changed(self, change: Change) -> None:
        """Forget the token of a server that was left, even if no call was made; tell listeners."""
        if self.config.token_store is not None and isinstance(change.old, Chosen):
            from nio_identity_server.flows.store import keep_token  # noqa: PLC0415

            left = str(change.old.base_url)
            keep_token(self.config.token_store, self._reader.owner, left, None)
        self._listeners.tell(change)

    async def _fetch(self, url: URL, *, trusted: bool) -> Answer:
        """Fetch a document; whose origin is named in code may be private."""
        named = {URL(str(base_url)).origin() for base_url in self.config.named_in_code}
        return await self._transport.fetch(url, trusted=trusted or url.origin() in named)

    async def _ask(
        self, base_url: BaseUrl, endpoint: Endpoint[Reply], token: Secret | None = None
    ) -> Reply:
        return await self._transport.ask(
            base_url, endpoint, trusted=self._trusts(base_url), token=token
        )

    def _trusts(self, base_url: BaseUrl) -> bool:
        return base_url in self.config.named_in_code

    def _choosable(self, url: str | BaseUrl) -> BaseUrl:
        base_url = parse_base_url(url)
        if self._trusts(base_url):
            return base_url
        if base_url.scheme != "https":
            raise InvalidBaseUrl("it is not https; a server of your own can be named in trusted=")
        if self.config.only_trusted:
            raise ForbiddenAddress(str(base_url), "this client uses trusted servers only")
        return base_url
