from __future__ import annotations

import asyncio

import pytest

from nio_identity_server.testing.signals import Signal


class TestSignal:
    """Waiting without polling."""

    async def test_a_condition_that_holds_is_not_waited_for(self) -> None:
        """A condition that holds already ends the wait without any ring."""
        looked = iter([True])

        await Signal().until(lambda: next(looked))

        assert list(looked) == []

    async def test_every_ring_looks_again(self) -> None:
        """The condition is looked at after each ring, until it holds."""
        signal = Signal()
        seen: list[int] = []
        waiting = asyncio.create_task(signal.until(lambda: len(seen) > 1, 5))

        for number in range(2):
            seen.append(number)
            signal.ring()
            await asyncio.sleep(0)
        await waiting

        assert seen == [0, 1]

    async def test_a_cancelled_wait_is_left_alone(self) -> None:
        """Ringing while a waiter is being cancelled harms nobody."""
        signal = Signal()
        waiting = asyncio.create_task(signal.rung())
        await asyncio.sleep(0)

        waiting.cancel()
        signal.ring()

        with pytest.raises(asyncio.CancelledError):
            await waiting

    async def test_the_limit_is_kept(self) -> None:
        """A condition that never holds ends in a TimeoutError."""
        with pytest.raises(TimeoutError):
            await Signal().until(lambda: False, 0.01)

    def test_it_lives_through_several_loops(self) -> None:
        """A signal made without a loop serves one loop after another."""
        signal = Signal()

        async def wait() -> str:
            asyncio.get_running_loop().call_soon(signal.ring)
            await signal.rung()
            return "rung"

        assert [asyncio.run(wait()), asyncio.run(wait())] == ["rung", "rung"]
