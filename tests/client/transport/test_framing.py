"""What counts as HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import pytest
from aiohttp.abc import ResolveResult

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.errors import BadResponse, CannotConnect, IdentityServerError
from nio_identity_server.testing import LoopbackServer
from tests.client.transport.stage import (
    CHUNKED,
    CLOSE,
    HEADER,
    OK,
    FakeResolver,
    Post,
    ask,
    failure,
    framed,
    transport_for,
)
from tests.raw_server import End, RawServer, Repeat, Script, answer, free_port


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
