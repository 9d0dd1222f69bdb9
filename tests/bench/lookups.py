"""What a lookup costs, over SHA-256 itself, and a small call, over aiohttp itself."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import aiohttp

from nio_identity_server.batch import read_batch
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.flows.lookup import CHUNK
from nio_identity_server.hashing import hash_addresses
from tests.bench.bare_server import PEPPER
from tests.bench.directory import (
    addresses_of,
    bare,
    known_server,
    messages_of,
    peak_of,
    seconds,
    seconds_of,
    stream,
)
from tests.bench.figures import Figure

HASHING = 2.2
COMPLETE = 3.0
STREAM_MIB = 10.0
STALL_MS = 100.0
CALL = 1.25

_TICK = 0.001
_TRIES = 3


def hashing(rounds: int, addresses: int) -> Figure:
    """Compare folding, checking and hashing of addresses with a bare loop over ready bytes."""
    given = list(addresses_of(addresses))
    messages = messages_of(given)
    samples = []
    works = {"bare": lambda: bare(messages), "ours": lambda: _hash(given)}
    for number in range(rounds):
        spent = {}
        # Whoever comes second finds warmer caches: take turns.
        for name in sorted(works, reverse=bool(number % 2)):
            gc.collect()
            began = time.process_time()
            works[name]()
            spent[name] = time.process_time() - began
        samples.append(spent["ours"] / spent["bare"])
    return Figure(f"hashing {addresses:,} / bare hashlib", HASHING, "x", samples)


async def complete(rounds: int, addresses: int) -> Figure:
    """Compare a whole lookup over loopback with the same bare loop, by the clock.

    Each round takes the best of a few: what else runs on the machine only ever adds.
    """
    given = list(addresses_of(addresses))
    messages = messages_of(given)
    samples = []
    async with known_server() as (server, _):
        await server.lookup(given[:CHUNK])
        for _ in range(rounds):
            hashed, whole = [], []
            for _ in range(_TRIES):
                hashed.append(seconds(lambda: bare(messages)))
                whole.append(await seconds_of(lambda: server.lookup(given)))
            samples.append(min(whole) / min(hashed))
    return Figure(f"lookup of {addresses:,} / bare hashlib", COMPLETE, "x", samples)


async def streamed(rounds: int, addresses: int) -> tuple[Figure, Figure]:
    """Measure memory and the longest stall of the event loop while many addresses stream by."""
    async with known_server() as (server, _):

        async def once(number: int = addresses) -> None:
            await stream(server, addresses_of(number), number)

        await once(CHUNK)
        stalls = [await _longest_stall(once()) * 1e3 for _ in range(rounds)]
        memory = [await peak_of(once) / 2**20]
    name = f"{addresses:,} streamed"
    return (
        Figure(f"{name}, memory at most", STREAM_MIB, "MiB", memory),
        Figure(f"{name}, longest stall", STALL_MS, "ms", stalls),
    )


async def small_call(rounds: int, calls: int) -> Figure:
    """Compare one call with aiohttp's GET of the same, by the median call of each round."""
    samples = []
    async with known_server() as (server, url), aiohttp.ClientSession() as session:
        path = f"{url}{GetAccount().target}"
        headers = {"Authorization": "Bearer bench"}

        async def plain() -> Any:
            async with session.get(path, headers=headers) as response:
                return await response.json()

        async def ours() -> Any:
            return await server.call(GetAccount())

        for _ in range(rounds + 1):
            took: dict[Any, list[float]] = {plain: [], ours: []}
            for _ in range(calls):
                for call, times in took.items():
                    times.append(await seconds_of(call))
            samples.append(statistics.median(took[ours]) / statistics.median(took[plain]))
    return Figure("one call / plain aiohttp", CALL, "x", samples[1:])  # the first warms up


def _hash(addresses: Sequence[str]) -> None:
    for start in range(0, len(addresses), CHUNK):
        batch = read_batch(addresses[start : start + CHUNK])
        hash_addresses(batch.emails, "email", PEPPER)


async def _longest_stall(work: Awaitable[None]) -> float:
    """Seconds by which a ticker came late at worst while the work ran."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_TICK)
            longest = max(longest, time.perf_counter() - began - _TICK)

    ticker = asyncio.create_task(tick())
    await work
    ticker.cancel()
    return longest
