"""Waiting for something to happen, without polling and without a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Signal:
    """Wakes everyone who waits, each time it rings.

    The futures belong to the loop that is running at the time of the wait, so that a signal may be
    made before there is a loop and live through several of them.
    """

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait now."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def rung(self) -> None:
        """Wait for the next ring."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    async def until(
        self,
        condition: Callable[[], bool],
        timeout: float | None = None,  # noqa: ASYNC109 -- the limit is part of what a test says
        wanted: str = "what was waited for",
    ) -> None:
        """Wait until the condition holds; it is looked at now and after every ring.

        Args:
            condition: Answers whether the wait is over.
            timeout: Seconds, or `None` to wait for ever.
            wanted: What to call it when it did not come.

        Raises:
            TimeoutError: The condition did not come to hold in time.
        """
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await self.rung()
        except TimeoutError:
            raise TimeoutError(f"Not within {timeout} s: {wanted}") from None
