"""What counts as HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest
from aiohttp.abc import ResolveResult

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.errors import BadResponse, CannotConnect
from nio_identity_server.testing import LoopbackServer
from tests.client.transport.stage import (
    CHUNKED,
    CLOSE,
    OK,
    FakeResolver,
    Post,
    ask,
    failure,
    framed,
    transport_for,
)
from tests.raw_server import End, RawServer, Script, answer, free_port


class TestFraming:
    """T30: what is not HTTP is nobody's answer; in more ways in ``tests/proof/fault_matrix``."""

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
