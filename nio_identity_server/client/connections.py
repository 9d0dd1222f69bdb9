"""The sockets to identity servers: our own aiohttp sessions, never nio's.

nio's session would carry the homeserver's cookies, its default headers and its TLS settings along.
Servers named in code and servers named by somebody else have a session each, because a kept-alive
connection to a private address must not be reused by a request that may not go there.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Protocol

import aiohttp
import attrs
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp_socks import ProxyConnector

from nio_identity_server.addresses import is_public
from nio_identity_server.client.config import is_verifying


class NotPublic(OSError):
    """A name of a server that we may reach at public addresses only has another one."""


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses a name if any one of its addresses is not public.

    aiohttp asks it at each connect, so a name that is bound to another address later is noticed
    (DNS rebinding); it does not ask for literal addresses, which the transport judges.
    """

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(self, host: str, *args: Any, **kwargs: Any) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            NotPublic: If an address is not of the public internet.
        """
        results = await self._inner.resolve(host, *args, **kwargs)
        if not all(is_public(result["host"]) for result in results):
            raise NotPublic(None, "an address of it is not public")
        return results

    async def close(self) -> None:
        """Close the resolver underneath."""
        await self._inner.close()


class ProxyAndTls(Protocol):
    """What of a nio client decides how we connect."""

    proxy: str | None
    ssl: Any


@attrs.define(eq=False)
class Connections:
    """Opens sessions when they are needed, one for each kind of server.

    Attributes:
        client: The nio client whose proxy is used, and whose TLS context is if it verifies.
        ssl_context: The application's own TLS context, or None.
        resolver: Makes the resolver of names.
    """

    client: ProxyAndTls
    ssl_context: ssl.SSLContext | None = None
    resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver
    _loop: asyncio.AbstractEventLoop | None = None
    _sessions: dict[bool, aiohttp.ClientSession] = attrs.field(factory=dict, init=False)

    async def session(self, *, trusted: bool) -> aiohttp.ClientSession:
        """The session for servers named in code (``trusted``), or for all others."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # A client may live through several event loops; sockets do not.
            await self.close()
            self._loop = loop
        session = self._sessions.get(trusted)
        if session is None or session.closed:
            session = self._sessions[trusted] = aiohttp.ClientSession(
                connector=self._connector(trusted=trusted),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
            # aiohttp repeats a GET once when the connection breaks, and says nothing. What is sent
            # again is for retries.py to decide. (As aiohttp's own test client does it.)
            session._retry_connection = False  # noqa: SLF001
        return session

    async def close(self) -> None:
        """Close every connection; the next request opens new ones.

        If it is cancelled it can be done again: no session is forgotten before it is closed.
        """
        for session in tuple(self._sessions.values()):
            await session.close()

    def _connector(self, *, trusted: bool) -> aiohttp.BaseConnector:
        context = self._context()
        if self.client.proxy:
            # As nio does it. Names are resolved by the proxy, in whose network they mean what they
            # mean; so only literal addresses can be judged here.
            connector: aiohttp.BaseConnector = ProxyConnector.from_url(
                self.client.proxy, ssl=context
            )
            return connector
        resolver = self.resolver()
        if not trusted:
            resolver = PublicResolver(resolver)
        return aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, ssl=context)

    def _context(self) -> ssl.SSLContext:
        if self.ssl_context is not None:
            return self.ssl_context
        inherited = self.client.ssl
        if isinstance(inherited, ssl.SSLContext) and is_verifying(inherited):
            return inherited
        # ssl=False on the client is about its homeserver; it is not inherited.
        context = self.ssl_context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
