from __future__ import annotations

import errno

import aiohttp
import pytest

from .asking import Ask
from .conftest import EchoServer


class TestAnswers:
    """Answers that a test dictates."""

    async def test_reject(self, ask: Ask, echo: EchoServer) -> None:
        """A rejection is a Matrix error with extra fields and headers; nothing is processed."""
        echo.reject_next(429, "M_LIMIT", "slow", headers={"Retry-After": "3"}, retry_after_ms=3000)

        answer = await ask("POST", f"{echo.url}/echo", data=b"x")

        assert answer.error == (429, "M_LIMIT")
        assert answer.json == {"errcode": "M_LIMIT", "error": "slow", "retry_after_ms": 3000}
        assert answer.headers["Retry-After"] == "3"
        assert answer.headers["Content-Type"] == "application/json"
        assert echo.processed == 0

    @pytest.mark.parametrize(
        ("status", "errcode"),
        [
            (401, "M_UNKNOWN_TOKEN"),
            (403, "M_FORBIDDEN"),
            (404, "M_NOT_FOUND"),
            (429, "M_LIMIT_EXCEEDED"),
            (500, "M_UNKNOWN"),
        ],
    )
    async def test_the_usual_errcode(
        self, ask: Ask, echo: EchoServer, status: int, errcode: str
    ) -> None:
        """A status alone says what it usually says."""
        echo.reject_next(status)

        assert (await ask("POST", f"{echo.url}/echo")).error == (status, errcode)

    async def test_answer_with_any_bytes(self, ask: Ask, echo: EchoServer) -> None:
        """The bytes go out untouched, under the content type that is asked for."""
        echo.answer_next(502, b"\xff\x00", content_type="text/html", headers={"X": "y"})
        echo.answer_next(body="{}", chunked=True)

        first = await ask("GET", f"{echo.url}/any")
        second = await ask("GET", f"{echo.url}/any")

        assert (first.status, first.body) == (502, b"\xff\x00")
        assert (first.headers["Content-Type"], first.headers["X"]) == ("text/html", "y")
        assert (second.status, second.body) == (200, b"{}")
        assert second.headers["Content-Type"] == "application/json"
        assert second.headers["Transfer-Encoding"] == "chunked"

    async def test_answer_with_a_lie_about_its_length(self, ask: Ask, echo: EchoServer) -> None:
        """A length given as a header is sent as it is, without any content type if so wished."""
        echo.answer_next(body=b"12", content_type=None, headers={"Content-Length": "1"})

        answer = await ask("GET", f"{echo.url}/any")

        assert answer.body == b"1"

    async def test_redirect(self, ask: Ask, echo: EchoServer) -> None:
        """A redirect has the status and the location that were asked for."""
        echo.redirect_next("https://elsewhere.test/", 308)

        answer = await ask("POST", f"{echo.url}/echo")

        assert (answer.status, answer.headers["Location"]) == (308, "https://elsewhere.test/")


class TestBrokenConnections:
    """Connections that break."""

    async def test_drop(self, ask: Ask, echo: EchoServer) -> None:
        """A dropped request is recorded, has no effect and gets no answer."""
        echo.drop_next()

        with pytest.raises(aiohttp.ServerDisconnectedError):
            await ask("POST", f"{echo.url}/echo")

        assert (len(echo.requests), echo.processed) == (1, 0)

    async def test_reset(self, ask: Ask, echo: EchoServer) -> None:
        """A reset comes through as one."""
        echo.reset_next()

        with pytest.raises(aiohttp.ClientOSError) as caught:
            await ask("POST", f"{echo.url}/echo")

        assert (caught.value.errno, echo.processed) == (errno.ECONNRESET, 0)

    async def test_lose(self, ask: Ask, echo: EchoServer) -> None:
        """A lost answer comes after the request took effect."""
        echo.lose_next()

        with pytest.raises(aiohttp.ServerDisconnectedError):
            await ask("POST", f"{echo.url}/echo")

        assert echo.processed == 1

    async def test_cut(self, ask: Ask, echo: EchoServer) -> None:
        """A cut answer announces its full length, and half of it arrives."""
        echo.cut_next()

        async with ask.session.post(f"{echo.url}/echo", data=b"0123456789") as response:
            length = response.content_length
            read = await response.content.readexactly(5)
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()

        assert (length, read, echo.processed) == (10, b"01234", 1)

    async def test_our_own_hanging_up_is_no_disconnect(self, ask: Ask, echo: EchoServer) -> None:
        """A connection that the server closed is not counted as a client that went away."""
        for order in (echo.drop_next, echo.reset_next, echo.lose_next, echo.cut_next):
            order()
            with pytest.raises(aiohttp.ClientError):
                await ask("POST", f"{echo.url}/echo", data=b"0123456789")

        assert echo.disconnected == []


class TestScript:
    """The order of the trouble."""

    async def test_faults_strike_in_order(self, ask: Ask, echo: EchoServer) -> None:
        """Each request takes the first fault that fits it, as often as was ordered."""
        echo.reject_next(400, times=2)
        echo.reject_next(500)

        statuses = [(await ask("POST", f"{echo.url}/echo")).status for _ in range(4)]

        assert statuses == [400, 400, 500, 200]
        assert echo.faults_left == 0

    async def test_a_fault_waits_for_its_requests(self, ask: Ask, echo: EchoServer) -> None:
        """Method, part of the path and expression choose; others pass by."""
        echo.reject_next(400, method="put")
        echo.reject_next(401, path="ech")
        echo.reject_next(402, path=r"/e.*o$")

        statuses = [
            (await ask("POST", f"{echo.url}{path}")).status
            for path in ("/other", "/echo", "/echo", "/echo")
        ]

        assert statuses == [404, 401, 402, 200]
        assert echo.faults_left == 1

    async def test_for_ever_until_cleared(self, ask: Ask, echo: EchoServer) -> None:
        """Without a number of times a fault strikes until the script is cleared."""
        echo.reject_next(503, times=None)
        before = [(await ask("POST", f"{echo.url}/echo")).status for _ in range(3)]

        echo.clear_faults()
        after = (await ask("POST", f"{echo.url}/echo")).status

        assert (before, after) == ([503, 503, 503], 200)
