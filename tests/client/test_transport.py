"""Everything that an identity server can do to us, on real sockets; T numbers: threat model."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import json
import pkgutil
import socket
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import attrs
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from nio_identity_server import endpoints
from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.client import transport as module
from nio_identity_server.client.answer import Answer
from nio_identity_server.client.connections import Connections
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoint import Endpoint, Receiver
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    ForbiddenAddress,
    IdentityServerError,
    MatrixError,
    RateLimited,
)
from nio_identity_server.secret import Secret
from nio_identity_server.testing import LoopbackServer
from tests.canaries import assert_no_secret
from tests.raw_server import Certificates, End, RawServer, Repeat, Script, answer, free_port

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


@pytest.fixture(name="transport")
async def _transport() -> AsyncIterator[Transport]:
    async with transport_for() as transport:
        yield transport


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


class Internet:
    """One public address, which leads to a server on loopback."""

    address = "93.184.216.34"

    def __init__(self, patch: pytest.MonkeyPatch, port: int) -> None:
        original = socket.socket.connect

        def connect(sock: socket.socket, address: Any) -> None:
            here = address[0] == self.address
            original(sock, ("127.0.0.1", port) if here else address)

        patch.setattr(socket.socket, "connect", connect)


# Threat T1: no request to the inside of a network.

INSIDE = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fd00:ec2::254",
    "fe80::1",
)


def literal(address: str, port: int) -> BaseUrl:
    """A base URL with an address instead of a name."""
    host = f"[{address}]" if ":" in address else address
    return parse_base_url(f"https://{host}:{port}")


class TestInsideOfANetwork:
    @pytest.mark.parametrize("address", INSIDE)
    async def test_a_literal_address(self, transport: Transport, address: str) -> None:
        """T1: an address in a URL that others named must be public; nothing is connected."""
        async with RawServer() as server:
            url = literal(address, server.port)
            error = await failure(transport.ask(url, Ping(), trusted=False))

            assert type(error) is ForbiddenAddress
            assert str(url) in str(error)
            assert server.connections == 0

    @pytest.mark.parametrize("address", INSIDE)
    async def test_an_answer_of_the_resolver(self, address: str) -> None:
        """T1: a name that others named must resolve to public addresses; nothing is connected."""
        resolver = FakeResolver((address,))
        async with RawServer() as server, transport_for(resolver=lambda: resolver) as transport:
            url = parse_base_url(f"https://id.example.org:{server.port}")
            error = await failure(transport.ask(url, Ping(), trusted=False))

            assert type(error) is ForbiddenAddress
            assert resolver.asked == ["id.example.org"]
            assert server.connections == 0

    @pytest.mark.parametrize("answers", [(Internet.address, "127.0.0.1"), ("::1", "9.9.9.9")])
    async def test_all_addresses_of_a_name_must_be_public(self, answers: tuple[str, ...]) -> None:
        """T1: one private address among public ones spoils a name (Synapse's rule)."""
        resolver = FakeResolver(answers)
        async with RawServer() as server, transport_for(resolver=lambda: resolver) as transport:
            url = parse_base_url(f"https://id.example.org:{server.port}")

            error = await failure(transport.ask(url, Ping(), trusted=False))

            assert type(error) is ForbiddenAddress
            assert server.connections == 0

    async def test_rebinding(
        self, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
    ) -> None:
        """T1: a name that was public and is private at the next connect is refused then."""
        resolver = FakeResolver((Internet.address,), ("127.0.0.1",))
        script: Script = [answer(b"{}", "200 OK", "Connection: close"), CLOSE]
        async with (
            RawServer(script, tls=certificates.server("id.example.org")) as server,
            transport_for(resolver=lambda: resolver, ssl_context=certificates.client) as transport,
        ):
            Internet(monkeypatch, server.port)
            url = parse_base_url(f"https://id.example.org:{server.port}")

            assert await transport.ask(url, Ping(), trusted=False) == {}
            error = await failure(transport.ask(url, Ping(), trusted=False))

            assert type(error) is ForbiddenAddress
            assert len(resolver.asked) == 2
            assert (server.connections, len(server.requests)) == (1, 1)

    async def test_a_public_server_is_asked(
        self, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
    ) -> None:
        """A public address is let through, as a literal too."""
        async with (
            RawServer([answer()], tls=certificates.server(Internet.address)) as server,
            transport_for(ssl_context=certificates.client) as transport,
        ):
            Internet(monkeypatch, server.port)

            url = literal(Internet.address, server.port)
            assert await transport.ask(url, Ping(), trusted=False) == {}

    async def test_a_server_named_in_code_may_be_private(self, certificates: Certificates) -> None:
        """T1: whom the operator trusts may be anywhere."""
        resolver = FakeResolver(("127.0.0.1",))
        async with (
            RawServer([answer()], tls=certificates.server("id.example.org")) as server,
            transport_for(resolver=lambda: resolver, ssl_context=certificates.client) as transport,
        ):
            url = parse_base_url(f"https://id.example.org:{server.port}")

            assert await transport.ask(url, Ping(), trusted=True) == {}

    async def test_a_trusted_connection_is_not_lent(self, certificates: Certificates) -> None:
        """T1: an open connection to a private address serves no request that may not go there."""
        resolver = FakeResolver(("127.0.0.1",))
        async with (
            RawServer([answer()], tls=certificates.server("id.example.org")) as server,
            transport_for(resolver=lambda: resolver, ssl_context=certificates.client) as transport,
        ):
            url = parse_base_url(f"https://id.example.org:{server.port}")
            await transport.ask(url, Ping(), trusted=True)
            error = await failure(transport.ask(url, Ping(), trusted=False))

            assert type(error) is ForbiddenAddress
            assert (server.connections, len(server.requests)) == (1, 1)

    @pytest.mark.parametrize("address", INSIDE)
    async def test_a_document(self, transport: Transport, address: str) -> None:
        """T1: the same holds for documents, for which redirects lead to other hosts."""
        async with RawServer() as server:
            url = URL(str(literal(address, server.port)) + "/.well-known/matrix/client")

            assert type(await failure(transport.fetch(url, trusted=False))) is ForbiddenAddress
            assert server.connections == 0

    async def test_a_document_of_an_inside_name(self) -> None:
        """T1: and for their names."""
        resolver = FakeResolver(("127.0.0.1",))
        async with RawServer() as server, transport_for(resolver=lambda: resolver) as transport:
            url = URL(f"https://example.org:{server.port}/.well-known/matrix/client")

            assert type(await failure(transport.fetch(url, trusted=False))) is ForbiddenAddress
            assert server.connections == 0


class TestPlainHttp:
    @pytest.mark.parametrize("host", ["127.0.0.1", Internet.address, "id.example.org"])
    async def test_refused(self, host: str) -> None:
        """T2: http is refused whatever the host, and nothing is connected."""
        resolver = FakeResolver((Internet.address,))
        async with (
            RawServer([answer()]) as server,
            transport_for(resolver=lambda: resolver) as transport,
        ):
            url = parse_base_url(f"http://{host}:{server.port}")
            error = await failure(transport.ask(url, Ping(), trusted=False))

            assert type(error) is ForbiddenAddress
            assert "not https" in str(error)
            assert resolver.asked == []
            assert server.connections == 0

    async def test_named_in_code(self, transport: Transport) -> None:
        """T2: the operator's own server may be http."""
        async with RawServer([answer()]) as server:
            assert await ask(transport, server) == {}


class TestRedirects:
    """T5: they are not followed, and where they lead is not told."""

    @pytest.mark.parametrize("where", ["same", "other", "http", "file", "loop"])
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_of_an_identity_server(
        self, transport: Transport, status: int, where: str
    ) -> None:
        """Any 3xx is a bad response that carries the status only."""
        async with RawServer([answer()]) as other, RawServer([answer()]) as server:
            target = {
                "same": f"{server.url}/{TARGET}",
                "other": f"{other.url}/{TARGET}",
                "http": f"http://localhost:{other.port}/{TARGET}",
                "file": f"file:///etc/{TARGET}",
                "loop": "",
            }[where]
            server.plays([answer(b"", f"{status} Elsewhere", f"Location: {target}")])
            error = await failure(ask(transport, server, Post()))

            assert type(error) is BadResponse
            assert status == vars(error)["status"]
            assert (len(server.requests), other.connections) == (1, 0)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_of_a_document(self, transport: Transport, status: int) -> None:
        """Where a document has gone is for the caller to judge."""
        head = f"{status} Elsewhere"
        async with RawServer([answer(b"", head, "Location: https://x.org/y")]) as server:
            found = await transport.fetch(URL(f"{server.url}/doc"), trusted=True)

            assert (status, "https://x.org/y") == (found.status, found.location)
            assert len(server.requests) == 1


class TestBodies:
    """T26: a body may be as large as the endpoint says and comes as it is."""

    @staticmethod
    async def measured(
        script: Script, endpoint: Endpoint[Any] | None = None
    ) -> IdentityServerError:
        """The error of a request that takes little time and memory and hangs up."""
        async with RawServer(script) as server, transport_for() as transport:
            tracemalloc.start()
            try:
                error = await failure(ask(transport, server, endpoint or Ping()))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            await server.left()

        assert peak < 8 * MIB
        assert (server.connections, len(server.requests)) == (1, 1)
        return error

    async def test_announced(self) -> None:
        """A body that is announced to be too large is not read at all."""
        error = await self.measured([answer(b"x" * 1000, length=10 * 10**9), End.STALL])

        assert type(error) is BadResponse
        assert "more than 65536 bytes" in str(error)

    async def test_endless_chunks(self) -> None:
        """Chunks without end are cut off at the limit."""
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

        assert type(await self.measured([CHUNKED, Repeat(chunk)])) is BadResponse

    async def test_tiny_chunks(self) -> None:
        """So are small ones."""
        chunks = b"1\r\n \r\n" * 1000

        assert type(await self.measured([CHUNKED, Repeat(chunks)], Small())) is BadResponse

    async def test_without_length(self) -> None:
        """And what has neither a length nor chunks."""
        assert type(await self.measured([OK + b"\r\n", Repeat(b" " * 0x10000)])) is BadResponse

    async def test_endless_trailers(self) -> None:
        """Trailers after the body without end do not fill the memory."""
        line = b"X: " + b"x" * 1000 + b"\r\n"

        error = await self.measured([CHUNKED + b"2\r\n{}\r\n0\r\n", Repeat(line)])

        assert type(error) is CannotConnect

    async def test_an_endless_chunk_extension(self) -> None:
        """Nor does the extension of a chunk."""
        error = await self.measured([CHUNKED + b"2;", Repeat(b"x" * 1000)], Quick())

        assert type(error) is CannotConnect

    @pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "zstd", "deflate", "identity, gzip"])
    async def test_encoded(self, coding: str) -> None:
        """What was not asked for is not unpacked, bomb or no bomb."""
        head = answer(BOMB, "200 OK", f"Content-Encoding: {coding}", length=10**9)
        error = await self.measured([head, Repeat(BOMB)])

        assert type(error) is BadResponse
        assert "encoded" in str(error)

    async def test_identity_is_no_encoding(self, transport: Transport) -> None:
        """A server may say that it has not encoded the body."""
        script = [answer(b"{}", "200 OK", "Content-Encoding: Identity")]
        async with RawServer(script) as server:
            assert await ask(transport, server) == {}

    async def test_an_encoding_that_is_hidden(self) -> None:
        """A bomb behind a second header is taken for the nonsense that it looks like."""
        twice = ("Content-Encoding: identity", "Content-Encoding: gzip")
        error = await sorry([answer(BOMB, "200 OK", *twice)])

        assert type(error) is BadResponse

    async def test_exactly_the_limit(self, transport: Transport) -> None:
        """The limit itself may be reached."""
        body = b"{" + b" " * (Ping.cap - 2) + b"}"
        async with RawServer([answer(body)], [CHUNKED, b"10000\r\n", body, b"\r\n0\r\n\r\n"]) as (
            server
        ):
            assert await ask(transport, server) == {}
            assert await ask(transport, server) == {}

    async def test_one_byte_more(self) -> None:
        """But not passed, announced or not."""
        body = b"{" + b" " * (Ping.cap - 1) + b"}"

        assert type(await sorry([answer(body)])) is BadResponse
        assert type(await sorry([OK + b"\r\n" + body, CLOSE])) is BadResponse

    async def test_a_huge_error(self) -> None:
        """A refusal of 10 MB is no better."""
        begin = b'{"errcode": "M_FORBIDDEN", "error": "'
        head = answer(begin, "403 Forbidden", length=10 * MIB)
        error = await self.measured([head, Repeat(b"x" * 1000)])

        assert type(error) is BadResponse
        assert vars(error)["status"] == 403

    async def test_a_document(self, transport: Transport) -> None:
        """Documents have a limit as well."""
        async with RawServer([answer(b"x" * 11)]) as server:
            url = URL(f"{server.url}/doc")

            assert (await transport.fetch(url, trusted=True, cap=11)).body == b"x" * 11
            assert type(await failure(transport.fetch(url, trusted=True, cap=10))) is BadResponse


@pytest.fixture(name="black_hole")
def _black_hole() -> Iterator[int]:
    """A port at which connections are neither accepted nor refused: its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)  # noqa: FBT003 -- the socket's own signature
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


class TestTime:
    """T27: no server can keep us waiting."""

    async def test_connecting(
        self, monkeypatch: pytest.MonkeyPatch, transport: Transport, black_hole: int
    ) -> None:
        """A connection that is not accepted is given up."""
        monkeypatch.setattr(module, "CONNECT_TIMEOUT", 0.1)
        url = parse_base_url(f"http://127.0.0.1:{black_hole}")
        error = await failure(transport.ask(url, Post(), trusted=True))

        assert type(error) is CannotConnect
        assert "longer than allowed" in str(error)

    async def test_a_handshake(self, monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
        """So is a TLS handshake that does not go on."""
        monkeypatch.setattr(module, "CONNECT_TIMEOUT", 0.1)
        async with RawServer([End.STALL]) as server:
            url = parse_base_url(f"https://127.0.0.1:{server.port}")
            error = await failure(transport.ask(url, Ping(), trusted=True))

            assert type(error) is CannotConnect
            await server.left()

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param([End.STALL], id="status line"),
            pytest.param([OK + b"X: y", End.STALL], id="headers"),
            pytest.param([answer(b"{", length=2), End.STALL], id="body"),
            pytest.param([CHUNKED + b"1\r\n{", End.STALL], id="chunk"),
            pytest.param([OK + b"\r\n{}", End.STALL], id="end"),
        ],
    )
    @pytest.mark.parametrize("limit", ["pause", "total"])
    async def test_silence(
        self, monkeypatch: pytest.MonkeyPatch, transport: Transport, script: Script, limit: str
    ) -> None:
        """A server that falls silent anywhere is left, by either limit."""
        if limit == "pause":
            monkeypatch.setattr(module, "READ_TIMEOUT", 0.1)
        endpoint = Ping() if limit == "pause" else Quick()
        async with RawServer(script) as server:
            error = await failure(ask(transport, server, endpoint))
            await server.left()

        assert type(error) is CannotConnect
        assert "longer than allowed" in str(error)
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param([OK + b"X: ", Repeat(b"y", 0.01)], id="headers"),
            pytest.param([answer(b"", length=1000), Repeat(b" ", 0.01)], id="body"),
            pytest.param([CHUNKED, Repeat(b"1\r\n \r\n", 0.01)], id="chunks"),
            pytest.param([Repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)], id="100"),
            pytest.param([Repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.01)], id="103"),
        ],
    )
    async def test_drip(
        self, monkeypatch: pytest.MonkeyPatch, transport: Transport, script: Script
    ) -> None:
        """A server that never falls silent is left when the whole time is over."""
        monkeypatch.setattr(module, "READ_TIMEOUT", 0.2)
        async with RawServer(script) as server:
            error = await failure(ask(transport, server, Quick()))
            await server.left()

        assert type(error) is CannotConnect
        assert "(0.3 s at most)" in str(error)
        assert len(server.requests) == 1

    async def test_a_document(self, monkeypatch: pytest.MonkeyPatch, transport: Transport) -> None:
        """Documents are not waited for any longer."""
        monkeypatch.setattr(module, "READ_TIMEOUT", 0.1)
        async with RawServer([End.STALL]) as server:
            work = transport.fetch(URL(server.url), trusted=True)

            assert type(await failure(work)) is CannotConnect

    async def test_cancelled(self, transport: Transport) -> None:
        """A caller that stops waiting leaves no connection behind."""
        async with RawServer([answer(b"{", length=2), End.STALL]) as server:
            task = asyncio.create_task(ask(transport, server))
            await server.asked()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.left()


class TestCharsets:
    """T28: text is UTF-8, whatever a server says."""

    async def test_punycode(self, transport: Transport) -> None:
        """A charset whose decoder takes quadratic time is not looked at."""
        body = json.dumps({"x": "y" * 640_000}).encode()
        kind = "Content-Type: application/json; charset=punycode"
        async with RawServer([answer(body, "200 OK", kind)]) as server:
            await ask(transport, server, Large())  # opens the connection
            began = time.process_time()
            reply = await ask(transport, server, Large())

            assert len(reply["x"]) == 640_000
            assert time.process_time() - began < 0.2

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("{}".encode("utf-16"), id="UTF-16"),
            pytest.param("{}".encode("utf-16-le"), id="UTF-16 without a mark"),
            pytest.param("{}".encode("utf-32"), id="UTF-32"),
            pytest.param(b"\xef\xbb\xbf{}", id="mark"),
            pytest.param(b'{"a": "\xe9"}', id="Latin-1"),
            pytest.param(b'{"a": "\xed\xa0\x80"}', id="surrogate"),
            pytest.param(b'{"a": "\xc0\x80"}', id="overlong"),
        ],
    )
    async def test_not_utf8(self, body: bytes) -> None:
        """Nothing is guessed: only UTF-8 without a mark is text."""
        kind = "Content-Type: application/json; charset=utf-16"
        error = await sorry([answer(body, "200 OK", kind)])

        assert type(error) is BadResponse
        assert vars(error)["status"] == 200


# Threat T29: bodies that no endpoint may take.

BODIES = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "cut": b'{"a": 1',
    "cut string": b'{"a": "b',
    "cut literal": b"tru",
    "trailing": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "no comma": b'{"a": 1 "b": 2}',
    "single quotes": b"{'a': 1}",
    "bare key": b"{a: 1}",
    "comment": b"{} // nothing",
    "NUL": b"{}\x00",
    "control character": b'{"a": "\x01"}',
    "bad escape": b'{"a": "\\x41"}',
    "cut escape": b'{"a": "\\u12"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": -Infinity}',
    "1e400": b'{"a": 1e400}',
    "leading zero": b'{"a": 01}',
    "plus": b'{"a": +1}',
    "hexadecimal": b'{"a": 0x10}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "same key twice": b'{"a": 1, "a": 2}',
    "same key inside": b'{"x": {"a": 1, "a": 1}}',
    "half of a pair": b'{"a": "\\ud800"}',
    "half of a pair as key": b'{"\\udfff": 1}',
    "deep lists": b'{"a": ' + b"[" * 30_000,
    "deep objects": b'{"a":' * 10_000,
    "list": b"[]",
    "string": b'"{}"',
    "null": b"null",
    "number": b"1",
}


def to_identity_servers() -> Iterator[type[Endpoint[Any]]]:
    """Every endpoint of the package that an identity server answers."""
    for found in pkgutil.iter_modules(endpoints.__path__, endpoints.__name__ + "."):
        chapter = importlib.import_module(found.name)
        for kind in vars(chapter).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, Endpoint)
                and kind.__module__ == found.name
                and kind.receiver is Receiver.IDENTITY_SERVER
                and kind.reply is not str  # a page for people
            ):
                yield kind


def example(kind: type[Endpoint[Any]]) -> Endpoint[Any]:
    """A request of this kind, with something in every field that needs it."""
    values = {
        "addresses": [],
        "country": "GB",
        "expires_in": 3600,
        "key_id": "ed25519:0",
        "medium": "email",
        "send_attempt": 1,
    }
    needed = [field for field in attrs.fields(kind) if field.default is attrs.NOTHING]
    return kind(**{field.name: values.get(field.name, "x") for field in needed})


class TestJson:
    @pytest.mark.parametrize(
        "kind", list(to_identity_servers()), ids=lambda kind: str(kind.__name__)
    )
    async def test_bodies(self, transport: Transport, kind: type[Endpoint[Any]]) -> None:
        """T29: none of 33 bad bodies gets through at any endpoint; each is asked for once."""
        assert len(BODIES) == 33
        async with RawServer(*([answer(body)] for body in BODIES.values())) as server:
            outcomes = {
                name: await failure(ask(transport, server, example(kind))) for name in BODIES
            }

            assert {
                name: error for name, error in outcomes.items() if type(error) is not BadResponse
            } == {}
            assert len(BODIES) == len(server.requests)

    async def test_no_part_of_a_body_is_told(self) -> None:
        """T29: what is wrong is said without a word of the body."""
        for body in (f'{{"versions": "{BODY}"}}', f'{{"{BODY}": 1, "{BODY}": 2}}', BODY):
            error = await sorry([answer(body.encode())], GetVersions())

            assert type(error) is BadResponse


class TestFraming:
    """T30: what is not HTTP is nobody's answer."""

    @pytest.mark.parametrize(
        ("script", "kind"),
        [
            pytest.param([CLOSE], CannotConnect, id="close"),
            pytest.param([End.RESET], CannotConnect, id="reset"),
            pytest.param([OK + b"Content-Le", CLOSE], CannotConnect, id="cut in the headers"),
            pytest.param([OK + b"Content-Le", End.RESET], CannotConnect, id="reset in headers"),
            pytest.param([b"\x16\x03\x01\x00\xff\x01\r\n\r\n", CLOSE], BadResponse, id="garbage"),
            pytest.param([b"SSH-2.0-OpenSSH_9.9\r\n", CLOSE], BadResponse, id="SSH"),
            pytest.param([b"<html>hello</html>", CLOSE], BadResponse, id="HTTP/0.9"),
            pytest.param([b"HTTP/2 200\r\n\r\n{}", CLOSE], BadResponse, id="HTTP/2"),
            pytest.param([b"HTTP/9.9 200 OK\r\n\r\n{}", CLOSE], BadResponse, id="HTTP/9.9"),
            pytest.param([answer(status="000 Zero")], BadResponse, id="status 0"),
            pytest.param([answer(status="99 Low"), CLOSE], BadResponse, id="status 99"),
            pytest.param([answer(status="101 Switch")], BadResponse, id="status 101"),
            pytest.param(
                [answer(b"{}", "101 Switch", "Upgrade: websocket", "Connection: upgrade")],
                BadResponse,
                id="upgrade",
            ),
            pytest.param([answer(status="201 Created")], BadResponse, id="status 201"),
            pytest.param([answer(b"", "204 Empty")], BadResponse, id="status 204"),
            pytest.param([answer(status="204 Not empty"), CLOSE], BadResponse, id="204 and body"),
            pytest.param([answer(status="206 Part")], BadResponse, id="status 206"),
            pytest.param([answer(b"", "304 Same")], BadResponse, id="status 304"),
            pytest.param([answer(status="600 High")], BadResponse, id="status 600"),
            pytest.param([answer(status="999 High")], BadResponse, id="status 999"),
            pytest.param([answer(status="1000 High"), CLOSE], BadResponse, id="status 1000"),
            pytest.param([answer(status="-200 Low"), CLOSE], BadResponse, id="status -200"),
            pytest.param([answer(status="abc"), CLOSE], BadResponse, id="status abc"),
            pytest.param(
                [answer(b"{}", "200 OK", f"X: {HEADER}" + "x" * 100_000)],
                BadResponse,
                id="header of 100 kB",
            ),
            pytest.param(
                [answer(b"{}", "200 OK", *(f"X{number}: {HEADER}" for number in range(5000)))],
                BadResponse,
                id="5,000 headers",
            ),
            pytest.param([OK, Repeat(b"X: y\r\n" * 100)], BadResponse, id="endless headers"),
            pytest.param([OK + b"X: ", Repeat(b"y" * 1000)], BadResponse, id="endless header"),
            pytest.param([b"HTTP/1.1 200 ", Repeat(b"y" * 1000)], BadResponse, id="endless line"),
            pytest.param(
                [framed(b"Content-Length: 2\r\nContent-Length: 3")], BadResponse, id="two CL"
            ),
            pytest.param([framed(b"Content-Length: -2")], BadResponse, id="negative CL"),
            pytest.param([framed(b"Content-Length: +2")], BadResponse, id="CL with a plus"),
            pytest.param([framed(b"Content-Length: 0x2")], BadResponse, id="hexadecimal CL"),
            pytest.param([framed(b"Content-Length: " + b"9" * 5000)], BadResponse, id="huge CL"),
            pytest.param(
                [
                    OK
                    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
                ],
                BadResponse,
                id="CL and TE",
            ),
            pytest.param([framed(b"X: a\x00b")], BadResponse, id="NUL in a header"),
            pytest.param([framed(b": a")], BadResponse, id="header without a name"),
            pytest.param([framed(b"X\xff: \xff")], BadResponse, id="bytes in a name"),
            pytest.param([CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"], BadResponse, id="bad chunk size"),
            pytest.param([CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n"], BadResponse, id="negative chunk"),
            pytest.param([CHUNKED + b"2\r\n{}XX0\r\n\r\n"], BadResponse, id="bad chunk end"),
            pytest.param([CHUNKED + b"2\r\n{}\r\n", CLOSE], CannotConnect, id="no last chunk"),
            pytest.param([CHUNKED + b"2\r\n{", CLOSE], CannotConnect, id="cut in a chunk"),
            pytest.param([answer(b"{", length=2), CLOSE], CannotConnect, id="cut in the middle"),
            pytest.param([answer(b"{", length=2), End.RESET], CannotConnect, id="reset in middle"),
            pytest.param([answer(b"", length=2), CLOSE], CannotConnect, id="cut before the body"),
            pytest.param([OK + b'\r\n{"a', CLOSE], BadResponse, id="cut without a length"),
        ],
    )
    async def test_broken(self, script: Script, kind: type[IdentityServerError]) -> None:
        """Each is one of our errors, soon, after one request, with the connection closed."""
        async with RawServer(script) as server, transport_for() as transport:
            error = await failure(ask(transport, server, Post()))
            if kind is BadResponse and vars(error)["status"] is None:
                await server.left()

        assert type(error) is kind
        assert error.server == server.url  # type: ignore[attr-defined]
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, answer()], id="1,000 x 100"),
            pytest.param([b"HTTP/1.1 103 Early Hints\r\n\r\n", answer()], id="hints"),
            pytest.param([answer() + answer(b"[]")], id="second answer appended"),
            pytest.param([b"HTTP/1.0 200 OK\r\n\r\n{}", CLOSE], id="HTTP/1.0"),
            pytest.param([OK + b"\r\n{}", CLOSE], id="until the end"),
            pytest.param([OK + b"\r\n{}", End.CLOSE], id="closed"),
            pytest.param([CHUNKED, b"1\r\n{\r\n", b"1;x=y\r\n}\r\n", b"0\r\n\r\n"], id="chunks"),
            pytest.param([*(bytes([byte]) for byte in answer())], id="byte by byte"),
        ],
    )
    async def test_odd(self, transport: Transport, script: Script) -> None:
        """What HTTP allows is understood, and so is the next answer."""
        async with RawServer(script, script, [answer(b'{"versions": []}')]) as server:
            assert await ask(transport, server) == {}
            assert await ask(transport, server) == {}
            assert (await ask(transport, server, GetVersions())).versions == ()

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param([framed(b"X: a\r\n folded\r\nContent-Length: 2")], id="folded header"),
            pytest.param([framed(b"Content-Length : 2")], id="blank in a name"),
            pytest.param([b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"], id="bare line feeds"),
            pytest.param([CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n"], id="blank after a chunk size"),
            pytest.param([OK + b"Transfer-Encoding: gzip\r\n\r\n{}", CLOSE], id="TE of gzip"),
        ],
    )
    async def test_sloppy(self, transport: Transport, script: Script) -> None:
        """What aiohttp forgives, except when Python runs in development mode, harms nobody."""
        async with RawServer(script) as server:
            try:
                reply = await ask(transport, server)
            except BadResponse as error:
                reply = error

        assert type(reply) is BadResponse or reply == {}

    async def test_a_lost_get_is_not_sent_again_in_secret(self, transport: Transport) -> None:
        """The library underneath would repeat it; whether to is decided by ours."""
        async with RawServer([CLOSE], [answer()]) as server:
            assert type(await failure(ask(transport, server))) is CannotConnect
            assert len(server.requests) == 1

    async def test_refused(self, transport: Transport) -> None:
        """A port that nobody listens at is no server."""
        url = parse_base_url(f"http://127.0.0.1:{free_port()}")
        error = await failure(transport.ask(url, Post(), trusted=True))

        assert type(error) is CannotConnect
        assert "cannot connect" in str(error)

    async def test_an_unknown_name(self) -> None:
        """A name that does not exist is said to be the trouble."""

        class Nobody(FakeResolver):
            async def resolve(self, *_args: Any, **_kwargs: Any) -> list[ResolveResult]:
                raise OSError(None, "nothing")

        async with transport_for(resolver=lambda: Nobody(())) as transport:
            url = parse_base_url("https://nowhere.example.org")
            error = await failure(transport.ask(url, Ping(), trusted=False))

        assert type(error) is CannotConnect

    async def test_tls_in_front_of_plain_http(self, transport: Transport) -> None:
        """A server that talks plain HTTP at the port of https gets no request."""
        async with LoopbackServer() as server:
            url = parse_base_url(f"https://{server.netloc}")
            error = await failure(transport.ask(url, Ping(), trusted=True))

            assert type(error) is CannotConnect
            assert server.connections == 1
            assert b"GET" not in server.raw_bytes

    async def test_a_header_that_cannot_be_sent(self, transport: Transport) -> None:
        """T12: what aiohttp refuses before sending anything is our error too."""

        @attrs.frozen
        class Odd(Ping):
            method: ClassVar[str] = "GE T"

        async with RawServer([answer()]) as server:
            error = await failure(ask(transport, server, Odd()))

            assert type(error) is CannotConnect
            assert len(server.requests) == 0


class TestMeaning:
    @pytest.mark.parametrize(
        "headers",
        [
            [],
            ["Content-Type: text/html"],
            ["Content-Type: text/plain; charset=utf-16"],
            ["Content-Type: application/octet-stream"],
            ["Content-Type: ;;;nonsense"],
        ],
    )
    async def test_content_types(self, transport: Transport, headers: list[str]) -> None:
        """T31: JSON is JSON whatever its label (Sydent mislabels some)."""
        script = [answer(b'{"versions": ["v1.1"]}', "200 OK", *headers)]
        refused = [answer(b'{"errcode": "M_FORBIDDEN"}', "403 Forbidden", *headers)]
        async with RawServer(script, refused) as server:
            assert (await ask(transport, server, GetVersions())).versions == ("v1.1",)
            error = await failure(ask(transport, server))

        assert vars(error)["errcode"] == "M_FORBIDDEN"

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 418, 500, 502, 503, 504, 599])
    @pytest.mark.parametrize(
        ("body", "errcode", "message"),
        [
            pytest.param(b'{"errcode": "M_A.B_1", "error": "No"}', "M_A.B_1", "No", id="good"),
            pytest.param(b"", "M_UNKNOWN", "", id="empty"),
            pytest.param(b"<html>502 Bad Gateway</html>", "M_UNKNOWN", "", id="page"),
            pytest.param(b"[1]", "M_UNKNOWN", "", id="list"),
            pytest.param(b'{"errcode": 5, "error": ["x"]}', "M_UNKNOWN", "", id="types"),
        ],
    )
    async def test_refusals(
        self, transport: Transport, status: int, body: bytes, errcode: str, message: str
    ) -> None:
        """T32: a refusal carries status, errcode and the server's words, good or not."""
        async with RawServer([answer(body, f"{status} No")]) as server:
            error = await failure(ask(transport, server))

            assert type(error) is MatrixError
            assert (status, errcode, message) == (
                vars(error)["status"],
                vars(error)["errcode"],
                vars(error)["message"],
            )
            assert len(server.requests) == 1

    async def test_words_that_would_forge_a_log(self) -> None:
        """T32: a server cannot write a line of its own into our log, nor a long one."""
        words = "no\n2026-01-01 CRITICAL root: all is lost\r\x1b[2J\u2028\u202e" + "x" * 10_000
        body = json.dumps({"errcode": "M_X\nY", "error": words}).encode()
        error = await sorry([answer(body, "403 Forbidden")])

        assert isinstance(error, MatrixError)
        assert error.errcode == "M_UNKNOWN"
        assert len(error.message) == 500
        assert str(error).isprintable()
        assert len(str(error).splitlines()) == 1

    @pytest.mark.parametrize("errcode", ["M_UNKNOWN", "M_LIMIT_EXCEEDED", "M_FORBIDDEN"])
    async def test_patience(self, errcode: str) -> None:
        """T33: 429 means patience with any errcode, and how much is told."""
        body = json.dumps({"errcode": errcode, "retry_after_ms": 1500}).encode()
        error = await sorry([answer(body, "429 Slow down")])

        assert type(error) is RateLimited
        assert (errcode, 1.5) == (vars(error)["errcode"], vars(error)["retry_after"])

    async def test_patience_beyond_all_bounds(self) -> None:
        """T33: an integer that no float can hold is nonsense, and no trouble of ours."""
        body = b'{"retry_after_ms": 1' + b"0" * 400 + b"}"
        error = await sorry([answer(body, "429 Slow down")])

        assert type(error) is RateLimited
        assert vars(error)["retry_after"] is None

    async def test_patience_by_header(self) -> None:
        """T33: the header is read as well."""
        error = await sorry([answer(b"{}", "429 Slow down", "Retry-After: 7")])

        assert type(error) is RateLimited
        assert vars(error)["retry_after"] == 7.0


class TestRequests:
    async def test_what_is_sent(self, transport: Transport) -> None:
        """A request says what it must, and nothing of the user or the homeserver."""
        async with RawServer([answer()]) as server:
            await ask(transport, server, Ping())
            await ask(transport, server, Register())

        get, post = (request.decode().partition("\r\n\r\n") for request in server.requests)
        common = {
            f"Host: 127.0.0.1:{server.port}",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "User-Agent: nio-identity-server",
        }
        assert get[0].splitlines()[0] == "GET /_matrix/identity/v2 HTTP/1.1"
        assert common == set(get[0].splitlines()[1:])
        assert post[0].splitlines()[0] == "POST /register HTTP/1.1"
        assert common | {
            "Content-Type: application/json",
            f"Content-Length: {len(post[2])}",
        } == set(post[0].splitlines()[1:])
        assert json.loads(post[2]) == {"access_token": TOKEN}

    async def test_the_path_of_the_server_is_kept(self, transport: Transport) -> None:
        """A base URL with a path is the beginning of every path."""
        async with RawServer([answer()]) as server:
            url = parse_base_url(f"{server.url}/a%20b/id/")
            await transport.ask(url, Ping(), trusted=True)

            assert server.requests[0].startswith(b"GET /a%20b/id/_matrix/identity/v2 HTTP/1.1")

    async def test_a_document_as_it_is(self, transport: Transport) -> None:
        """A document comes with whatever status, undecoded."""
        script = [answer(b"\xff", "404 No", "Retry-After: 9")]
        async with RawServer(script) as server:
            found = await transport.fetch(URL(f"{server.url}/d"), trusted=True)

        assert Answer(404, b"\xff", None, "9") == found

    async def test_cookies(self, transport: Transport) -> None:
        """T15: a cookie that a server sets is not sent back."""
        script = [answer(b"{}", "200 OK", f"Set-Cookie: a={COOKIE}; Path=/")]
        async with RawServer(script) as server:
            await ask(transport, server)
            await ask(transport, server)

            assert len(server.requests) == 2
            assert b"cookie" not in bytes(server.received).lower()


class TestSecrets:
    """T12: no exception tells a secret, not even to a logger that prints local variables."""

    @pytest.mark.parametrize(
        ("script", "kind"),
        [
            pytest.param([CLOSE], CannotConnect, id="CannotConnect"),
            pytest.param([b"nonsense\r\n\r\n", CLOSE], BadResponse, id="BadResponse, no HTTP"),
            pytest.param([answer(b"[]")], BadResponse, id="BadResponse, no good reply"),
            pytest.param([answer(status="999 No")], BadResponse, id="BadResponse, bad status"),
            pytest.param(
                [answer(b"", "307 Go", f"Location: /{TARGET}")], BadResponse, id="redirect"
            ),
            pytest.param(
                [answer(b'{"a": "' + BODY.encode() + b'"}', "403 No")],
                MatrixError,
                id="MatrixError",
            ),
            pytest.param([answer(b"{}", "429 No")], RateLimited, id="RateLimited"),
            pytest.param(
                [answer(BODY.encode() * 10_000)], BadResponse, id="BadResponse, announced too large"
            ),
            pytest.param(
                [OK + b"\r\n", Repeat(BODY.encode() * 100)],
                BadResponse,
                id="BadResponse, too large",
            ),
            pytest.param(
                [answer(b'{"token": 5, "a": "' + BODY.encode() + b'"}')],
                BadResponse,
                id="BadResponse, wrong form",
            ),
        ],
    )
    async def test_of_a_request(self, script: Script, kind: type[IdentityServerError]) -> None:
        """Neither what was sent nor what came back is told."""
        async with RawServer(script) as server, transport_for() as transport:
            error = await failure(ask(transport, server, Register(), Secret(USER)))

        assert type(error) is kind
        assert f"\r\nAuthorization: Bearer {USER}\r\n".encode() in server.requests[0]

    async def test_of_a_forbidden_address(self) -> None:
        """Nothing is told of what would have been sent."""
        resolver = FakeResolver(("10.0.0.1",))
        async with transport_for(resolver=lambda: resolver) as transport:
            url = parse_base_url("https://id.example.org")
            work = transport.ask(url, Register(), trusted=False, token=Secret(USER))
            error = await failure(work)

        assert type(error) is ForbiddenAddress

    @pytest.mark.parametrize("end", ["\r\nX: y", "\n", "\x00", "\x7f"])
    async def test_of_a_token_that_is_none(self, end: str) -> None:
        """T41: a token cannot smuggle a header in; it is not told either."""
        async with RawServer([answer()]) as server, transport_for() as transport:
            error = await failure(ask(transport, server, Ping(), Secret(TOKEN + end)))

        assert type(error) is CannotConnect
        assert server.requests == []

    async def test_of_a_proxy(self) -> None:
        """Nor is the password of a proxy."""
        client = NioSettings(proxy=f"http://{USER}:{TOKEN}@127.0.0.1:{free_port()}")
        async with transport_for(client=client) as transport:
            url = parse_base_url("https://id.example.org")
            error = await failure(transport.ask(url, Ping(), trusted=False))

        assert type(error) is CannotConnect
