"""One piece of work for all who ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from nio_identity_server.errors import NotConfirmed

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Runs a coroutine as a task of its own and lets any number of callers wait for it.

    A caller that is cancelled does not cancel the work for the others. The work must not raise: it
    answers an error as a value, so that each caller can raise an exception of its own.

    A client may live through several event loops, one after the other: what a former loop left
    behind is never waited for.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[Result] | None = None
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def is_under_way(self) -> bool:
        """Whether there is work to join."""
        return self._task is not None and not self._task.done()

    async def run(self, start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Join the work that is under way, or start it.

        Raises:
            NotConfirmed: If the work was ended by :meth:`cancel`.
        """
        task = self.begin(start)
        # Not asyncio.shield: it makes two callbacks for each of perhaps ten thousand callers.
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter
        if task.cancelled():
            raise NotConfirmed("the client was closed while this call was waiting")
        return task.result()

    def begin(self, start: Callable[[], Coroutine[Any, Any, Result]]) -> asyncio.Task[Result]:
        """Start the work if none is under way, without waiting for it."""
        task = self._task
        loop = asyncio.get_running_loop()
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._task = loop.create_task(start())
            waiters: list[asyncio.Future[None]] = []
            self._waiters = waiters
            task.add_done_callback(lambda _: _release(waiters))
        return task

    async def rest(self) -> None:
        """Wait until nothing is under way, whatever came of it."""
        task = self._task
        if task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([task])

    def cancel(self) -> None:
        """End the work, if there is any."""
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
        self._task = None


def _release(waiters: list[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():  # its caller may have been cancelled
            waiter.set_result(None)
