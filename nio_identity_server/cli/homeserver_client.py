"""The homeserver without nio: as much of a client as an ``IdentityServer`` needs."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import aiohttp
import attrs
from aiohttp_socks import ProxyConnector
from yarl import URL

from nio_identity_server.cli.credentials import Credentials
from nio_identity_server.cli.settings import Settings


@attrs.define(eq=False)
class HomeserverClient:
    """A client that has no rooms, no store and no sync; a :class:`NioClient` to the package.

    Attributes:
        homeserver: The URL of the homeserver.
        access_token: The login.
        user_id: Whose it is; empty until that is known.
        proxy: The URL of a proxy, or None.
        ssl: How certificates are verified.
        config: Nothing: the headers that nio could be told to add.
    """

    homeserver: str
    access_token: str = attrs.field(repr=False)
    user_id: str
    proxy: str | None = attrs.field(repr=False)
    ssl: Any
    config: None = None
    _session: aiohttp.ClientSession | None = attrs.field(default=None, init=False)

    @classmethod
    def of(cls, credentials: Credentials, settings: Settings) -> Self:
        """The client of a login."""
        return cls(
            credentials.homeserver,
            credentials.access_token,
            credentials.user_id,
            settings.proxy,
            settings.tls,
        )

    async def __aenter__(self) -> Self:
        connector: aiohttp.BaseConnector = (
            ProxyConnector.from_url(self.proxy, ssl=self.ssl)
            if self.proxy
            else aiohttp.TCPConnector(ssl=self.ssl)
        )
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        # aiohttp would repeat a PUT once, and hide that its end is unknown; as in Connections.
        self._session._retry_connection = False  # noqa: SLF001
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(  # noqa: PLR0917 - nio's own signature
        self,
        method: str,
        path: str,
        data: Any = None,
        headers: dict[str, str] | None = None,
        trace_context: Any = None,  # noqa: ARG002 - nio's own signature
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> aiohttp.ClientResponse:
        """Send one request to the homeserver.

        Raises:
            aiohttp.ClientError: If there was no answer, or one that leads elsewhere.
            RuntimeError: Outside ``async with``.
        """
        if self._session is None:
            raise RuntimeError("the client is not open")
        return await self._session.request(
            method,
            URL(self.homeserver + path, encoded=True),
            data=data,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout),
            max_redirects=1,  # the first is one too many: it raises, and nothing is sent elsewhere
        )
