"""The sockets: cookies, proxies, TLS and event loops. T numbers: threat model."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from nio import AsyncClient
from yarl import URL

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.connections import Connections, NotPublic, PublicResolver
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.errors import CannotConnect, ForbiddenAddress, IdentityServerError
from tests.canaries import assert_no_secret
from tests.raw_server import Certificates, RawServer, answer, free_port

SECRET = "canary-of-a-proxy"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@attrs.define
class NioSettings:
    """What the sockets want to know of a nio client."""

    proxy: str | None = attrs.field(default=None, repr=False)
    ssl: Any = None


class FakeResolver(AbstractResolver):
    """Resolves every name to these addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Answer, without any DNS."""
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        """Note that it is closed."""
        self.closed = True


@asynccontextmanager
async def connections_for(client: Any = None, **options: Any) -> AsyncIterator[Connections]:
    """Connections that are closed at the end."""
    connections = Connections(client or NioSettings(), **options)
    try:
        yield connections
    finally:
        await connections.close()


async def ping(connections: Connections, url: str, *, trusted: bool = True) -> dict[str, Any]:
    """Ask a server whether it is one."""
    return await Transport(connections).ask(parse_base_url(url), Ping(), trusted=trusted)


async def refusal(
    connections: Connections, url: str, *, trusted: bool = True
) -> IdentityServerError:
    """Why a server cannot be asked."""
    with pytest.raises(IdentityServerError) as caught:
        async with asyncio.timeout(5):
            await ping(connections, url, trusted=trusted)
    assert_no_secret(caught.value, [SECRET])
    return caught.value


class TestPublicResolver:
    async def test_public(self) -> None:
        """Public addresses are passed on."""
        resolver = PublicResolver(FakeResolver("9.9.9.9", "2620:fe::fe"))

        found = await resolver.resolve("id.example.org", 443, socket.AF_UNSPEC)

        assert [each["host"] for each in found] == ["9.9.9.9", "2620:fe::fe"]

    async def test_nothing(self) -> None:
        """Nor is no address at all anything to be afraid of."""
        assert await PublicResolver(FakeResolver()).resolve("id.example.org") == []

    @pytest.mark.parametrize("address", ["10.0.0.1", "::1", "fe80::1%eth0"])
    async def test_not_public(self, address: str) -> None:
        """T1: one other address is enough to refuse the name."""
        with pytest.raises(NotPublic):
            await PublicResolver(FakeResolver("9.9.9.9", address)).resolve("id.example.org")

    async def test_close(self) -> None:
        """It closes what it was given."""
        inner = FakeResolver()
        await PublicResolver(inner).close()

        assert inner.closed


class TestSessions:
    async def test_one_for_each_kind(self) -> None:
        """Servers named in code and all others share no connection."""
        async with connections_for() as connections:
            trusted = await connections.session(trusted=True)
            other = await connections.session(trusted=False)

            assert trusted is not other
            assert await connections.session(trusted=True) is trusted
            assert await connections.session(trusted=False) is other

    async def test_a_new_one_after_close(self) -> None:
        """After a close, the next request opens new ones (as nio does)."""
        async with connections_for() as connections:
            first = await connections.session(trusted=True)
            await connections.close()

            assert first.closed
            assert await connections.session(trusted=True) is not first

    async def test_a_new_one_if_somebody_closed_it(self) -> None:
        """A session that was closed by others is replaced."""
        async with connections_for() as connections:
            first = await connections.session(trusted=True)
            await first.close()

            assert await connections.session(trusted=True) is not first

    async def test_nothing_is_opened_too_soon(self) -> None:
        """To close what was never opened is nothing."""
        connections = Connections(NioSettings())
        await connections.close()

        assert not connections._sessions

    async def test_close_hangs_up(self) -> None:
        """A close ends the connections that were kept alive."""
        async with RawServer([answer()]) as server, connections_for() as connections:
            await ping(connections, server.url)
            assert server.open_connections == 1

            await connections.close()
            await server.left()

    def test_several_event_loops(self) -> None:
        """A client may live through several event loops, without a close in between."""
        connections = Connections(NioSettings())

        async def use(*, close: bool) -> aiohttp.ClientSession:
            async with RawServer([answer()]) as server:
                await ping(connections, server.url)
                session = await connections.session(trusted=True)
                if close:
                    await connections.close()
                return session

        first = asyncio.run(use(close=False))
        second = asyncio.run(use(close=True))

        assert first is not second
        assert first.closed
        assert second.closed

    def test_a_close_in_another_loop(self) -> None:
        """What belongs to a loop that is over is let go of."""
        connections = Connections(NioSettings())

        async def use() -> None:
            await connections.session(trusted=True)

        asyncio.run(use())
        asyncio.run(connections.close())


class TestCookies:
    async def test_of_the_homeserver(self) -> None:
        """T15: nio's cookies stay with nio."""
        client = AsyncClient("http://localhost")
        async with RawServer([answer()]) as server, connections_for(client) as connections:
            await client.send("GET", f":{server.port}/")  # opens nio's session
            url = f"http://localhost:{server.port}"
            client.client_session.cookie_jar.update_cookies({"a": SECRET}, URL(url))
            await client.send("GET", f":{server.port}/")
            await ping(connections, url)
            await client.close()

        _, nio, ours = server.requests
        assert SECRET.encode() in nio
        assert b"cookie" not in ours.lower()

    async def test_of_another_server(self) -> None:
        """T15: and none comes back from anywhere."""
        script = [answer(b"{}", "200 OK", f"Set-Cookie: a={SECRET}")]
        async with RawServer(script) as server, connections_for() as connections:
            await ping(connections, server.url)
            await ping(connections, server.url)

            assert b"cookie" not in bytes(server.received).lower()


async def socks5(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Be a SOCKS5 proxy that is connected to any host at once; gives that host."""
    _, count = await reader.readexactly(2)
    await reader.readexactly(count)
    writer.write(b"\x05\x00")
    *_, kind = await reader.readexactly(4)
    size = (await reader.readexactly(1))[0] if kind == 3 else 4
    host = await reader.readexactly(size)
    await reader.readexactly(2)
    writer.write(struct.pack("!BBBBIH", 5, 0, 0, 1, 0, 0))
    return host


class TestProxies:
    @pytest.mark.parametrize("lower", [True, False])
    async def test_of_the_environment(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        lower: bool,
    ) -> None:
        """T16: neither proxies nor passwords are taken from the environment."""
        netrc = tmp_path / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login {SECRET} password {SECRET}\n")
        monkeypatch.setenv("NETRC", str(netrc))
        async with (
            RawServer([answer()]) as proxy,
            RawServer([answer()]) as server,
            connections_for() as connections,
        ):
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name.lower() if lower else name, proxy.url)
            for name in ("NO_PROXY", "no_proxy"):
                monkeypatch.delenv(name, raising=False)

            assert await ping(connections, server.url) == {}
            assert await ping(connections, server.url, trusted=True) == {}
            dead = await refusal(connections, f"https://127.0.0.1:{free_port()}")

            assert type(dead) is CannotConnect
            assert proxy.connections == 0
            assert b"authorization" not in bytes(server.received).lower()

    async def test_an_http_proxy(self) -> None:
        """T16: the client's own proxy is used, and resolves the names."""
        async with RawServer([ESTABLISHED], [answer()]) as proxy:
            client = NioSettings(proxy=f"http://user:{SECRET}@127.0.0.1:{proxy.port}")
            async with connections_for(client) as connections:
                assert await ping(connections, "http://id.example.org:8090") == {}

        connect, request = proxy.requests
        assert connect.startswith(b"CONNECT id.example.org:8090 HTTP/1.1\r\n")
        assert request.startswith(b"GET /_matrix/identity/v2 HTTP/1.1\r\n")
        assert b"roxy-" not in request

    @pytest.mark.parametrize("trusted", [True, False])
    async def test_tls_through_a_proxy(
        self,
        certificates: Certificates,
        trusted: bool,
    ) -> None:
        """T16, T17: TLS is spoken with the server behind the proxy, and verified."""
        good, other = "id.example.org", "id.example.com"
        async with RawServer([answer()], tls=certificates.server(good)) as server:

            async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                hosts.append(await reader.readuntil(b"\r\n"))
                await reader.readuntil(b"\r\n\r\n")
                there, here = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(ESTABLISHED)
                await asyncio.gather(pump(reader, here), pump(there, writer))

            hosts: list[bytes] = []
            async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
                port = proxy.sockets[0].getsockname()[1]
                client = NioSettings(proxy=f"http://127.0.0.1:{port}")
                context = certificates.client
                async with connections_for(client, ssl_context=context) as connections:
                    assert await ping(connections, f"https://{good}", trusted=trusted) == {}
                    error = await refusal(connections, f"https://{other}", trusted=trusted)

        assert type(error) is CannotConnect
        assert hosts == [
            b"CONNECT id.example.org:443 HTTP/1.1\r\n",
            b"CONNECT id.example.com:443 HTTP/1.1\r\n",
        ]
        assert len(server.requests) == 1

    async def test_a_socks_proxy(self) -> None:
        """T16: a SOCKS proxy (Tor) is given the name and nothing goes past it."""
        hosts: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            hosts.append(await socks5(reader, writer))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer())
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
            port = proxy.sockets[0].getsockname()[1]
            client = NioSettings(proxy=f"socks5://127.0.0.1:{port}")
            async with connections_for(client) as connections:
                assert await ping(connections, "http://id.example.org") == {}

        assert hosts == [b"id.example.org"]

    @pytest.mark.parametrize("scheme", ["http", "socks4", "socks5"])
    async def test_a_dead_proxy(self, scheme: str) -> None:
        """T16: if the proxy is gone, nothing goes directly."""
        async with RawServer([answer()]) as server:
            client = NioSettings(proxy=f"{scheme}://u:{SECRET}@127.0.0.1:{free_port()}")
            async with connections_for(client) as connections:
                error = await refusal(connections, server.url)

            assert type(error) is CannotConnect
            assert server.connections == 0

    @pytest.mark.parametrize(
        "script", [[answer(SECRET.encode(), "403 Forbidden")], [b"nonsense\r\n\r\n"]]
    )
    async def test_a_proxy_that_refuses(self, script: list[bytes]) -> None:
        """T16: nor if the proxy will not."""
        async with RawServer([answer()]) as server, RawServer(script) as proxy:
            client = NioSettings(proxy=f"http://u:{SECRET}@127.0.0.1:{proxy.port}")
            async with connections_for(client) as connections:
                error = await refusal(connections, server.url)

            assert type(error) is CannotConnect
            assert server.connections == 0

    @pytest.mark.parametrize("proxy", [f"nonsense://u:{SECRET}@127.0.0.1:1", SECRET])
    async def test_a_proxy_that_is_none(self, proxy: str) -> None:
        """T16: nor if nobody can tell what the proxy is."""
        async with RawServer([answer()]) as server:
            async with connections_for(NioSettings(proxy=proxy)) as connections:
                error = await refusal(connections, server.url)

            assert type(error) is CannotConnect
            assert server.connections == 0

    async def test_an_address_is_judged_all_the_same(self) -> None:
        """T1: a literal private address is not asked of a proxy either."""
        async with RawServer([ESTABLISHED], [answer()]) as proxy:
            async with connections_for(NioSettings(proxy=proxy.url)) as connections:
                error = await refusal(connections, "https://169.254.169.254", trusted=False)

            assert type(error) is ForbiddenAddress
            assert proxy.connections == 0


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until there are no more."""
    try:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def unverifying(*, certificate: bool) -> ssl.SSLContext:
    """A context that does not check names, or nothing at all."""
    context = ssl.create_default_context()
    context.check_hostname = False
    if not certificate:
        context.verify_mode = ssl.CERT_NONE
    return context


class TestTls:
    """T17: in each case that is refused, the server does not see a byte of a request."""

    async def refused(
        self, client: NioSettings, tls: ssl.SSLContext, context: ssl.SSLContext | None = None
    ) -> IdentityServerError:
        """Why a server with this TLS is not asked."""
        async with (
            RawServer([answer()], tls=tls) as server,
            connections_for(client, ssl_context=context) as connections,
        ):
            error = await refusal(connections, server.url)

        assert type(error) is CannotConnect
        assert (bytes(server.received), server.requests) == (b"", [])
        return error

    async def test_an_unknown_authority(self, certificates: Certificates) -> None:
        """Only the system's authorities are believed."""
        error = await self.refused(NioSettings(), certificates.server("localhost"))

        assert "its TLS certificate is not valid: " in str(error)
        assert "self" in str(error) or "issuer" in str(error)

    async def test_another_host(self, certificates: Certificates) -> None:
        """A certificate is for its names only."""
        error = await self.refused(
            NioSettings(), certificates.server("id.example.org"), certificates.client
        )

        assert "Hostname mismatch" in str(error)

    async def test_expired(self, certificates: Certificates) -> None:
        """And for its time."""
        error = await self.refused(
            NioSettings(), certificates.server("localhost", expired=True), certificates.client
        )

        assert "expired" in str(error)

    async def test_old_tls(self, certificates: Certificates) -> None:
        """A server that knows TLS 1.1 only is too old."""
        old = certificates.server("localhost")
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = ssl.TLSVersion.TLSv1_1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        error = await self.refused(NioSettings(), old, certificates.client)

        assert "resolved" not in str(error)

    async def test_hung_up_in_the_handshake(self) -> None:
        """A server that hangs up before TLS is there is not said to have no name."""

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.close()

        async with (
            await asyncio.start_server(hang_up, "127.0.0.1", 0) as server,
            connections_for() as connections,
        ):
            port = server.sockets[0].getsockname()[1]
            error = await refusal(connections, f"https://127.0.0.1:{port}")

        assert type(error) is CannotConnect
        assert "resolved" not in str(error)

    async def test_a_client_that_does_not_verify(self, certificates: Certificates) -> None:
        """What nio may do without at its homeserver is not done without here."""
        await self.refused(NioSettings(ssl=False), certificates.server("localhost"))

    @pytest.mark.parametrize("certificate", [True, False])
    async def test_a_context_that_does_not_verify(
        self,
        certificates: Certificates,
        certificate: bool,
    ) -> None:
        """Nor is a context of nio's that believes anybody."""
        context = unverifying(certificate=certificate)
        certificates.trust(context)
        tls = certificates.server("id.example.org")

        await self.refused(NioSettings(ssl=context), tls)

    async def test_a_context_that_verifies(self, certificates: Certificates) -> None:
        """A context of nio's that verifies is used, for a company's own authority."""
        client = NioSettings(ssl=certificates.client)
        async with (
            RawServer([answer()], tls=certificates.server("localhost")) as server,
            connections_for(client) as connections,
        ):
            assert await ping(connections, server.url) == {}
            assert len(server.requests) == 1

    async def test_a_context_of_the_application(self, certificates: Certificates) -> None:
        """The application's own context comes first."""
        client = NioSettings(ssl=ssl.create_default_context())
        async with (
            RawServer([answer()], tls=certificates.server("localhost")) as server,
            connections_for(client, ssl_context=certificates.client) as connections,
        ):
            assert await ping(connections, server.url) == {}

    @pytest.mark.parametrize("setting", [None, True, False])
    async def test_what_is_used_without_one(self, setting: object) -> None:
        """Without a context, the system's authorities are asked, from TLS 1.2 on."""
        connections = Connections(NioSettings(ssl=setting))

        context = connections._context()

        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert connections._context() is context


async def test_closing_that_was_cancelled_can_be_done_again() -> None:
    """What it did not get round to is not forgotten."""
    async with RawServer([answer()]) as server, connections_for() as connections:
        await ping(connections, server.url)
        task = asyncio.create_task(connections.close())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await connections.close()
        await server.left()
