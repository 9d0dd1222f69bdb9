from __future__ import annotations

import asyncio

import aiohttp
import pytest

from .asking import Ask
from .conftest import EchoServer


class TestHold:
    """Requests that wait."""

    async def test_held_on_arrival(self, ask: Ask, echo: EchoServer) -> None:
        """A request that is held on arrival is recorded, and has had no effect."""
        hold = echo.hold()
        asking = asyncio.create_task(ask("POST", f"{echo.url}/echo", data=b"x"))

        reached = await hold.reached()

        assert echo.requests == reached == hold.requests
        assert (echo.processed, hold.released) == (0, False)

        hold.release()

        assert (await asking).body == b"x"
        assert (echo.processed, hold.released) == (1, True)

    async def test_held_before_the_answer(self, ask: Ask, echo: EchoServer) -> None:
        """A request whose answer is held has taken effect."""
        async with echo.hold("POST", "/echo", stage="answer") as hold:
            asking = asyncio.create_task(ask("POST", f"{echo.url}/echo"))
            await hold.reached()

            assert echo.processed == 1
            assert not asking.done()

        assert (await asking).status == 200

    async def test_held_within_the_body(self, ask: Ask, echo: EchoServer) -> None:
        """Headers and half of the body arrive before the rest is let go."""
        hold = echo.hold(stage="body")

        async with ask.session.post(f"{echo.url}/echo", data=b"0123") as response:
            first = await response.content.readexactly(2)
            hold.release()
            rest = await response.read()

        assert (response.status, first, rest) == (200, b"01", b"23")

    async def test_only_so_many(self, ask: Ask, echo: EchoServer) -> None:
        """With a number of times, later requests and other paths pass."""
        async with echo.hold(path="/echo", times=1) as hold:
            held = asyncio.create_task(ask("POST", f"{echo.url}/echo"))
            await hold.reached()

            passed = [await ask("POST", f"{echo.url}{path}") for path in ("/echo", "/other")]

            assert [answer.status for answer in passed] == [200, 404]
            assert len(hold.requests) == 1

        assert (await held).status == 200

    async def test_several_wait_together(self, ask: Ask, echo: EchoServer) -> None:
        """All that arrive before the release wait; what comes after it does not."""
        hold = echo.hold()
        asking = [asyncio.create_task(ask("POST", f"{echo.url}/echo")) for _ in range(3)]
        await hold.reached(3)
        hold.release()

        answers = [await task for task in asking]
        later = await ask("POST", f"{echo.url}/echo")

        assert [answer.status for answer in answers] == [200, 200, 200]
        assert (later.status, len(hold.requests)) == (200, 3)

    async def test_two_holds_hold_one_after_the_other(self, ask: Ask, echo: EchoServer) -> None:
        """A request that two holds want waits for both."""
        early, late = echo.hold(), echo.hold(stage="answer")
        asking = asyncio.create_task(ask("POST", f"{echo.url}/echo"))

        await early.reached()
        early.release()
        await late.reached()
        late.release()

        assert (await asking).status == 200

    async def test_a_held_request_can_fail_too(self, ask: Ask, echo: EchoServer) -> None:
        """The fault is chosen on arrival, and strikes after the hold."""
        echo.reject_next(503)
        async with echo.hold() as hold:
            asking = asyncio.create_task(ask("POST", f"{echo.url}/echo"))
            await hold.reached()

            assert echo.faults_left == 0

        assert (await asking).status == 503

    async def test_a_client_that_leaves_at_the_release(self, ask: Ask, echo: EchoServer) -> None:
        """A client that leaves in the moment of the release counts as gone."""
        hold = echo.hold()
        asking = asyncio.create_task(ask("POST", f"{echo.url}/echo"))
        await hold.reached()
        hold.release()
        # Only the server's end of the connection can be closed at a moment that is certain.
        for connection in echo._lines.open:
            connection.wire.abort()
        gone = await echo.wait_for_disconnect()

        assert gone == hold.requests
        with pytest.raises(aiohttp.ClientError):
            await asking

    async def test_waiting_has_a_limit(self, echo: EchoServer) -> None:
        """A hold that nothing reaches says so."""
        with pytest.raises(TimeoutError):
            await echo.hold().reached(timeout=0.01)
