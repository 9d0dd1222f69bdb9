"""What it costs to wait for the user's choice, and not to have to."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nio_identity_server import IdentityServerConfig, NotSet
from nio_identity_server.testing import MatrixHomeserver
from tests.bench.figures import Figure
from tests.bench.syncs import Bot

OPEN_US = 1.0
RELEASE_MS = 250.0


async def open_gate(rounds: int, calls: int) -> Figure:
    """Measure the way of one call through a gate that is open."""
    samples = []
    async with _bot() as bot:
        await bot.identity_server.refresh()
        gate = bot.identity_server._gate  # the gate alone: a call would cost a request
        await gate.enter()
        for _ in range(rounds):
            began = time.process_time()
            for _ in range(calls):
                await gate.enter()
            samples.append((time.process_time() - began) / calls * 1e6)
    return Figure("open gate, per call", OPEN_US, "us", samples)


async def held_calls(rounds: int, calls: int) -> Figure:
    """Release calls that were made before anything was known.

    Measured from before the first sync until the last call has left the gate: the sync, the second
    look by GET, and the work of the embedded homeserver on both are included.
    """
    samples = []
    for _ in range(rounds):
        async with _bot() as bot:
            gate = bot.identity_server._gate
            held = [asyncio.create_task(gate.enter()) for _ in range(calls)]
            await asyncio.sleep(0)  # one turn of the loop: each call goes as far as it can
            gc.collect()
            began = time.process_time()
            await bot.sync()
            await asyncio.wait(held)
            samples.append((time.process_time() - began) * 1e3)
            generations = {await each for each in held}
            if len(generations) != 1 or bot.identity_server.preference != NotSet():
                raise AssertionError("the calls were not released into one generation")
    return Figure(f"{calls:,} held calls released", RELEASE_MS, "ms", samples)


@asynccontextmanager
async def _bot() -> AsyncIterator[Bot]:
    async with MatrixHomeserver() as homeserver:
        account = homeserver.register("alice")
        config = IdentityServerConfig(default="https://id.example.org")
        bot = Bot(homeserver.url, account.user_id, identity_server_config=config)
        bot.access_token = account.access_token
        try:
            yield bot
        finally:
            await bot.close()
