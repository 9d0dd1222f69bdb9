from __future__ import annotations

import asyncio
import ssl

import aiohttp
import pytest
import trustme

from nio_identity_server.testing import LoopbackServer, MatrixHomeserver, Request

from .asking import Ask
from .conftest import EchoServer


class TestLife:
    """Starting and stopping."""

    async def test_the_url_is_known_once_started(self) -> None:
        """The port is chosen at the start, so there is no URL before."""
        server = LoopbackServer(host="localhost")

        with pytest.raises(RuntimeError, match="before it is started"):
            _ = server.url
        await server.start()

        assert server.running
        assert server.url.startswith("http://localhost:")

        await server.stop()

        assert not server.running

    async def test_started_twice(self, echo: EchoServer) -> None:
        """A running server cannot be started."""
        with pytest.raises(RuntimeError, match="is running"):
            await echo.start()

    async def test_stopped_twice(self, echo: EchoServer) -> None:
        """A stopped server can be stopped."""
        await echo.stop()
        await echo.stop()

        assert not echo.running

    async def test_it_comes_back_where_it_was(self, ask: Ask, echo: EchoServer) -> None:
        """A server that was away is found under the same URL."""
        url = echo.url
        await echo.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask("POST", f"{url}/echo")

        await echo.start()

        assert (await ask("POST", f"{url}/echo")).status == 200

    def test_it_lives_through_several_loops(self) -> None:
        """One server object serves one loop after another, with its state."""
        server = EchoServer()

        async def use() -> int:
            async with server, aiohttp.ClientSession() as session:
                return (await Ask(session)("POST", f"{server.url}/echo")).status

        assert [asyncio.run(use()), asyncio.run(use())] == [200, 200]
        assert len(server.requests) == 2

    async def test_stopping_leaves_nothing_behind(self, ask: Ask) -> None:
        """Held requests, long polls and idle connections end at once, and no task is left."""
        before = asyncio.all_tasks()
        server = MatrixHomeserver()
        await server.start()
        token = server.register("alice").access_token
        await ask("GET", f"{server.url}/idle")
        sync = f"{server.url}/_matrix/client/v3/sync?since=s9&timeout=60000"
        async with server.hold(path="/held") as hold:
            asking = [
                asyncio.create_task(ask("GET", sync, token=token)),
                asyncio.create_task(ask("GET", f"{server.url}/held")),
            ]
            await hold.reached()
            await server.wait_for(path="/sync")

            async with asyncio.timeout(1):
                await server.stop()

        answers = await asyncio.gather(*asking, return_exceptions=True)

        assert all(isinstance(answer, aiohttp.ClientError) for answer in answers)
        assert server.disconnected == []
        assert before == asyncio.all_tasks()


class TestTls:
    """Servers that speak TLS."""

    @pytest.fixture(name="authority")
    def _authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture(name="context")
    def _context(self, authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        return context

    async def test_https(self, ask: Ask, authority: trustme.CA, context: ssl.SSLContext) -> None:
        """With a context it speaks TLS, and the journal has the bytes inside it."""
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        async with LoopbackServer(host="localhost", ssl_context=context) as server:
            answer = await ask("GET", f"{server.url}/path", ssl=trust)

            assert server.url.startswith("https://localhost:")
            assert answer.status == 404
            assert server.raw_bytes.startswith(b"GET /path")

    async def test_faults_within_tls(
        self, ask: Ask, authority: trustme.CA, context: ssl.SSLContext
    ) -> None:
        """Connections break inside TLS as they do outside."""
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        async with LoopbackServer(host="localhost", ssl_context=context) as server:
            for order in (server.drop_next, server.reset_next, server.cut_next):
                order()
                with pytest.raises(aiohttp.ClientError):
                    # Not a GET: aiohttp asks once more when an idempotent request finds no answer.
                    await ask("POST", f"{server.url}/path", ssl=trust)

            assert (server.connections, len(server.requests)) == (3, 3)

    async def test_a_client_without_trust(self, ask: Ask, context: ssl.SSLContext) -> None:
        """A failed handshake counts as a connection, brings no bytes, and hinders no stop."""
        async with LoopbackServer(host="localhost", ssl_context=context) as server:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await ask("GET", f"{server.url}/path")

            assert (server.connections, server.raw_bytes) == (1, b"")


class TestChunks:
    """Answers without a length."""

    @pytest.fixture(name="chunky")
    def _chunky(self, echo: EchoServer) -> EchoServer:
        echo.chunked = True
        return echo

    async def test_in_chunks(self, ask: Ask, chunky: EchoServer) -> None:
        """A server can leave out the length of its true answers."""
        answer = await ask("POST", f"{chunky.url}/echo", data=b"0123")

        assert (answer.headers["Transfer-Encoding"], answer.body) == ("chunked", b"0123")

    async def test_a_cut_answer_has_its_length(self, ask: Ask, chunky: EchoServer) -> None:
        """A cut answer always tells how long it should have been."""
        chunky.cut_next()

        async with ask.session.post(f"{chunky.url}/echo", data=b"0123") as response:
            assert response.content_length == 4
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


class TestUnknown:
    """Paths and methods that nobody knows."""

    async def test_without_routes_all_is_unknown(self, ask: Ask, echo: EchoServer) -> None:
        """Unknown paths and methods get a page for people."""
        assert (await ask("GET", f"{echo.url}/echo")).status == 405
        assert (await ask("GET", f"{echo.url}/")).status == 404

    async def test_head(self, ask: Ask, echo: EchoServer) -> None:
        """The answer to a HEAD tells its length and has no body."""
        answers = [await ask("HEAD", f"{echo.url}/echo") for _ in range(2)]

        assert [answer.status for answer in answers] == [405, 405]
        assert answers[0].headers["Content-Length"] != "0"
        assert echo.connections == 1

    async def test_a_body_beyond_the_limit(self, ask: Ask, echo: EchoServer) -> None:
        """A body that is too large ends in a reset; the request is recorded."""
        echo.max_body = 4

        with pytest.raises(aiohttp.ClientOSError):
            await ask("POST", f"{echo.url}/echo", data=b"12345")
        fits = await ask("POST", f"{echo.url}/echo", data=b"1234")

        assert (fits.status, echo.processed) == (200, 1)
        assert len(echo.requests) == 2


class TestInside:
    """Requests from within the process."""

    def request(self) -> Request:
        """Make a request that no connection brings."""
        return Request.inside(
            "POST", "/echo", query={"a": "b c"}, authorization="Bearer t", content={"n": 1}
        )

    async def test_answered(self, echo: EchoServer) -> None:
        """The request is answered and recorded like any other, without a connection."""
        reply = await echo.answer(self.request())

        (request,) = echo.requests
        assert (reply.status, reply.json) == (200, {"n": 1})
        assert (request.connection, request.raw_path) == (0, "/echo?a=b+c")
        assert (request.access_token, request.headers["authorization"]) == ("t", "Bearer t")
        assert echo.connections == 0

    async def test_faults(self, echo: EchoServer) -> None:
        """Faults strike it; an exchange that ends early is a connection error."""
        echo.reject_next(403)
        refused = await echo.answer(self.request())
        echo.lose_next()
        with pytest.raises(ConnectionResetError):
            await echo.answer(self.request())

        assert (refused.status, echo.processed) == (403, 1)

    async def test_held(self, echo: EchoServer) -> None:
        """Holds keep it."""
        async with echo.hold() as hold:
            waiting = asyncio.create_task(echo.answer(self.request()))
            await hold.reached()
            processed = echo.processed
        await waiting

        assert (processed, echo.processed) == (0, 1)

    async def test_stopped(self, echo: EchoServer) -> None:
        """A server that does not run refuses, and records nothing."""
        await echo.stop()

        with pytest.raises(ConnectionRefusedError):
            await echo.answer(Request.inside("GET", "/echo"))

        assert echo.requests == []
