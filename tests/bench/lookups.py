"""What a lookup costs, over SHA-256 itself, and a small call, over aiohttp itself."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import aiohttp

from nio_identity_server import IdentityServer, IdentityServerConfig
from nio_identity_server.batch import read_batch
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.flows.lookup import CHUNK
from nio_identity_server.hashing import hash_addresses
from nio_identity_server.testing import MatrixHomeserver
from tests.bench import identity_server
from tests.bench.figures import Figure
from tests.bench.identity_server import PEPPER
from tests.bench.syncs import Bot

HASHING = 2.2
COMPLETE = 3.0
STREAM_MIB = 10.0
STALL_MS = 100.0
CALL = 1.25

_TICK = 0.001
_TRIES = 3


def hashing(rounds: int, addresses: int) -> Figure:
    """Compare folding, checking and hashing of addresses with a bare loop over ready bytes."""
    given = list(_addresses(addresses))
    messages = _messages(given)
    samples = []
    works = {"bare": lambda: _bare(messages), "ours": lambda: _hash(given)}
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
    given = list(_addresses(addresses))
    messages = _messages(given)
    samples = []
    async with _known_server() as (server, _):
        await server.lookup(given[:CHUNK])
        for _ in range(rounds):
            bare, whole = [], []
            for _ in range(_TRIES):
                bare.append(_seconds(lambda: _bare(messages)))
                whole.append(await _seconds_of(lambda: server.lookup(given)))
            samples.append(min(whole) / min(bare))
    return Figure(f"lookup of {addresses:,} / bare hashlib", COMPLETE, "x", samples)


async def streamed(rounds: int, addresses: int) -> tuple[Figure, Figure]:
    """Measure memory and the longest stall of the event loop while many addresses stream by."""
    memory = []
    async with _known_server() as (server, _):
        await _stream(server, CHUNK)
        stalls = [await _longest_stall(_stream(server, addresses)) * 1e3 for _ in range(rounds)]
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            await _stream(server, addresses)
            memory.append((tracemalloc.get_traced_memory()[1] - before) / 2**20)
        finally:
            tracemalloc.stop()
    name = f"{addresses:,} streamed"
    return (
        Figure(f"{name}, memory at most", STREAM_MIB, "MiB", memory),
        Figure(f"{name}, longest stall", STALL_MS, "ms", stalls),
    )


async def small_call(rounds: int, calls: int) -> Figure:
    """Compare one call with aiohttp's GET of the same, by the median call of each round."""
    samples = []
    async with _known_server() as (server, url), aiohttp.ClientSession() as session:
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
                    times.append(await _seconds_of(call))
            samples.append(statistics.median(took[ours]) / statistics.median(took[plain]))
    return Figure("one call / plain aiohttp", CALL, "x", samples[1:])  # the first warms up


@asynccontextmanager
async def _known_server() -> AsyncIterator[tuple[IdentityServer, str]]:
    """A bot that is known to an identity server in another process, and that server's URL."""
    async with MatrixHomeserver() as homeserver:
        account = homeserver.register("alice")
        with identity_server.running(account.user_id) as url:
            config = IdentityServerConfig(default=url)
            bot = Bot(homeserver.url, account.user_id, identity_server_config=config)
            bot.access_token = account.access_token
            try:
                await bot.sync()
                await bot.identity_server.call(GetAccount())
                yield bot.identity_server, url
            finally:
                await bot.close()


def _addresses(number: int) -> Iterator[str]:
    """Addresses of 33 characters, as people write them."""
    for index in range(number):
        yield f"First.Lastname{index:07}@Example{index % 10}.org"


def _messages(addresses: Sequence[str]) -> list[bytes]:
    return [f"{address.casefold()} email {PEPPER}".encode() for address in addresses]


def _bare(messages: Sequence[bytes]) -> None:
    for message in messages:
        sha256(message).digest()


def _hash(addresses: Sequence[str]) -> None:
    for start in range(0, len(addresses), CHUNK):
        batch = read_batch(addresses[start : start + CHUNK])
        hash_addresses(batch.emails, "email", PEPPER)


async def _stream(server: IdentityServer, addresses: int) -> None:
    found = 0
    async for _ in server.lookup_stream(_addresses(addresses)):
        found += 1
    if found != addresses // 100:
        raise AssertionError("the lookup did not find what the server says")


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


def _seconds(work: Callable[[], None]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def _seconds_of(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began
