"""Where a request may go: not inside of a network, not in plain text, not after a redirect."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from yarl import URL

from nio_identity_server.base_url import BaseUrl, parse_base_url
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.errors import BadResponse, ForbiddenAddress
from tests.client.transport.stage import (
    CLOSE,
    TARGET,
    FakeResolver,
    Post,
    ask,
    failure,
    transport_for,
)
from tests.raw_server import Certificates, RawServer, Script, answer


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
