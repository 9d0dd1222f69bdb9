"""Requests, settings and resolvers for the tests of the transport."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import attrs
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.connections import Connections
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.errors import IdentityServerError
from nio_identity_server.secret import Secret
from tests.canaries import assert_no_secret
from tests.raw_server import End, RawServer, Script

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = End.CLOSE
MIB = 2**20
VERIFYING = ssl.create_default_context()  # once: to read all authorities takes 20 ms
BOMB = gzip.compress(b" " * 32 * MIB, 1)[: Ping.cap]

# What must not show: in a request, and in an answer.
TOKEN = "canary-token-5a1f0e"
SECRETS = (
    TOKEN,
    "canary-header-b7c9d2",
    "canary-cookie-30e8aa",
    "canary-target-91d4c6",
    "canary-user-e2f7b3",
    "canary-body-6c0d18",
)
_, HEADER, COOKIE, TARGET, USER, BODY = SECRETS


@attrs.define
class NioSettings:
    """What the sockets want to know of a nio client."""

    proxy: str | None = attrs.field(default=None, repr=False)
    ssl: Any = None


@attrs.frozen
class Quick(Ping):
    """A request that has little time."""

    timeout: ClassVar[float] = 0.3


@attrs.frozen
class Small(Ping):
    """A request whose reply must be small."""

    cap: ClassVar[int] = 1000


@attrs.frozen
class Large(Endpoint[Any]):
    """A request whose reply may be large, and have any form."""

    path: ClassVar[str] = "/large"
    reply: ClassVar[Any] = Any
    cap: ClassVar[int] = MIB


@attrs.frozen
class Post(Endpoint[Any]):
    """A request that is never sent twice, and has little time."""

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/register"
    reply: ClassVar[Any] = dict[str, str]
    timeout: ClassVar[float] = 1.0

    @property
    def body(self) -> dict[str, Any]:
        """Anything."""
        return {"a": 1}


@attrs.frozen
class Register(Post):
    """A request that brings a secret, as registration does."""

    token: str = attrs.field(default=TOKEN, repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """The secret."""
        return {"access_token": self.token}


class FakeResolver(AbstractResolver):
    """Resolves every name to addresses of the test's choice, at each question to the next ones."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[ResolveResult]:
        """Answer, without any DNS."""
        self.asked.append(host)
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else family,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Close nothing."""


@asynccontextmanager
async def transport_for(**options: Any) -> AsyncIterator[Transport]:
    """A transport whose connections are closed at the end."""
    options = {"client": NioSettings(), "ssl_context": VERIFYING, **options}
    connections = Connections(**options)
    try:
        yield Transport(connections)
    finally:
        await connections.close()


async def ask(
    transport: Transport,
    server: RawServer,
    endpoint: Endpoint[Any] | None = None,
    token: Secret | None = None,
) -> Any:
    """Ask a server that was named in code."""
    url = parse_base_url(server.url)
    return await transport.ask(url, endpoint or Ping(), trusted=True, token=token)


async def failure(work: Awaitable[object], within: float = 2.0) -> IdentityServerError:
    """The exception that comes out: one of ours, in time, and without a secret."""
    began = time.monotonic()
    with pytest.raises(IdentityServerError) as caught:
        async with asyncio.timeout(10):
            await work

    assert time.monotonic() - began < within
    assert_no_secret(caught.value, SECRETS)
    assert caught.value.__context__ is None
    return caught.value


async def sorry(script: Script, endpoint: Endpoint[Any] | None = None) -> IdentityServerError:
    """What becomes of a request that a server answers in this way; it is asked only once."""
    async with RawServer(script) as server, transport_for() as transport:
        error = await failure(ask(transport, server, endpoint))
        assert len(server.requests) == 1
    return error


def framed(headers: bytes) -> bytes:
    """A good answer but for these headers."""
    return OK + headers + b"\r\n\r\n{}"
