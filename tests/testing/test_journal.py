from __future__ import annotations

import asyncio

import pytest

from .asking import Ask
from .conftest import EchoServer


class TestJournal:
    """What a server has seen."""

    async def test_connections_count_without_a_request(self, echo: EchoServer) -> None:
        """A bare TCP connection is counted, and its bytes are kept, be they HTTP or not."""
        _, writer = await asyncio.open_connection(*echo.netloc.split(":"))
        writer.write(b"GET / HT")
        await writer.drain()
        await echo.wait_until(lambda: echo.raw_bytes == b"GET / HT")
        writer.close()
        await writer.wait_closed()

        assert (echo.connections, echo.requests) == (1, [])

    async def test_raw_bytes_have_head_and_body(self, ask: Ask, echo: EchoServer) -> None:
        """The bytes are the ones that came over the wire."""
        await ask("POST", f"{echo.url}/echo", token="t0ken", data=b"payload")

        assert echo.raw_bytes.startswith(b"POST /echo HTTP/1.1\r\n")
        assert b"Bearer t0ken" in echo.raw_bytes
        assert echo.raw_bytes.endswith(b"\r\n\r\npayload")

    async def test_one_connection_can_bring_several(self, ask: Ask, echo: EchoServer) -> None:
        """Requests tell which connection brought them."""
        for _ in range(2):
            await ask("POST", f"{echo.url}/echo")

        assert (echo.connections, [it.connection for it in echo.requests]) == (1, [1, 1])

    async def test_seen_chooses(self, ask: Ask, echo: EchoServer) -> None:
        """Requests can be chosen by method and path."""
        await ask("POST", f"{echo.url}/echo")
        await ask("GET", f"{echo.url}/other")

        assert echo.requests[:1] == echo.seen("post")
        assert echo.requests[1:] == echo.seen(path="^/oth")
        assert echo.seen("POST", "/other") == []

    async def test_a_path_in_place_of_the_method(self, echo: EchoServer) -> None:
        """It would choose nothing, so that a test for nothing would pass: it is refused."""
        for choose in (echo.seen, echo.hold):
            with pytest.raises(ValueError, match="'lookup' is no method of HTTP"):
                choose("lookup")

    async def test_waiting_for_requests(self, ask: Ask, echo: EchoServer) -> None:
        """The wait ends when the last of so many has arrived, be it answered or not."""
        async with echo.hold():
            asking = [asyncio.create_task(ask("POST", f"{echo.url}/echo")) for _ in range(2)]
            waited = await echo.wait_for("POST", "/echo", count=2)

            assert echo.requests == waited

        for task in asking:
            await task

    async def test_waiting_has_a_limit(self, echo: EchoServer) -> None:
        """What does not arrive, and who does not leave, ends the wait with an error."""
        with pytest.raises(TimeoutError, match="1 x POST any path"):
            await echo.wait_for("POST", timeout=0.01)
        with pytest.raises(TimeoutError, match="there were no requests at all"):
            await echo.wait_for("POST", timeout=0.01)
        with pytest.raises(TimeoutError):
            await echo.wait_for_disconnect(timeout=0.01)
        with pytest.raises(TimeoutError):
            await echo.wait_until(lambda: echo.connections > 0, timeout=0.01)

    async def test_waiting_in_vain_tells_what_came(self, ask: Ask, echo: EchoServer) -> None:
        """The error names the last ten requests that were there, and counts the others."""
        for number in range(12):
            await ask("GET", f"{echo.url}/{number}")

        with pytest.raises(TimeoutError, match=r"there were 2 others, GET /2, .*, GET /11$"):
            await echo.wait_for("POST", timeout=0.01)

    @pytest.mark.parametrize("stage", ["arrival", "answer", "body"])
    async def test_a_client_that_leaves_is_noted(
        self, ask: Ask, echo: EchoServer, stage: str
    ) -> None:
        """Its request is handled no further, and stands among the disconnected."""
        hold = echo.hold(stage=stage)  # type: ignore[arg-type]
        asking = asyncio.create_task(ask("POST", f"{echo.url}/echo"))
        await hold.reached()

        asking.cancel()
        gone = await echo.wait_for_disconnect()

        assert echo.requests == gone == echo.disconnected
        assert (0 if stage == "arrival" else 1) == echo.processed

    async def test_half_a_request_is_none(self, echo: EchoServer) -> None:
        """A client that leaves within the body has not made a request."""
        _, writer = await asyncio.open_connection(*echo.netloc.split(":"))
        writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123")
        await writer.drain()
        await echo.wait_until(lambda: echo.raw_bytes.endswith(b"123"))
        writer.close()
        await writer.wait_closed()
        await echo.stop()

        assert (echo.requests, echo.disconnected) == ([], [])

    async def test_clear(self, ask: Ask, echo: EchoServer) -> None:
        """Clearing forgets what was seen, and keeps the script."""
        await ask("POST", f"{echo.url}/echo")
        echo.reject_next()

        echo.clear()

        assert (
            echo.requests,
            echo.disconnected,
            echo.connections,
            echo.raw_bytes,
        ) == ([], [], 0, b"")
        assert echo.faults_left == 1
