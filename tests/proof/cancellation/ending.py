"""Ending a call at one step: by cancelling it, or by an error of the network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aiohttp
import attrs
import pytest
from nio import AsyncClient

from nio_identity_server.client.transport import Transport


class Ending(Protocol):
    """Ends a call at its n-th step."""

    async def run(self, work: Callable[[], Awaitable[object]], step: int) -> bool:
        """Run the call; tell whether it was over before that step."""
        ...


@attrs.frozen
class Cancelling:
    """Cancels the call when the event loop has gone round so many times."""

    async def run(self, work: Callable[[], Awaitable[object]], step: int) -> bool:
        """Run the call, and cancel it."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work())
        rounds = 0

        def count() -> None:
            nonlocal rounds
            if task.done():
                return
            if rounds == step:
                task.cancel()
                return
            rounds += 1
            loop.call_soon(count)

        count()
        was_cancelled = False
        try:
            await task
        except asyncio.CancelledError:
            was_cancelled = True
        # One that had just ended when it was to be cancelled took this step all the same.
        return not was_cancelled and rounds < step


@attrs.frozen
class Failing:
    """Has the n-th request fail, to whichever server it goes.

    Attributes:
        patch: Puts the failure between the package and the network.
        arrives: Whether the request reaches the server, and only its answer is lost.
    """

    patch: pytest.MonkeyPatch
    arrives: bool

    async def run(self, work: Callable[[], Awaitable[object]], step: int) -> bool:
        """Run the call, and let its request fail."""
        requests = 0

        def failing(send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            async def attempt(*args: Any, **keywords: Any) -> Any:
                nonlocal requests
                requests += 1
                if requests - 1 != step:
                    return await send(*args, **keywords)
                if self.arrives:
                    response = await send(*args, **keywords)
                    if isinstance(response, aiohttp.ClientResponse):
                        response.close()
                    raise aiohttp.ServerDisconnectedError
                raise TimeoutError

            return attempt

        with self.patch.context() as patch:
            patch.setattr(AsyncClient, "send", failing(AsyncClient.send))
            patch.setattr(Transport, "_exchange_raw", failing(Transport._exchange_raw))
            await work()
        return requests <= step
