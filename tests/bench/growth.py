"""How cost grows: with the addresses of one lookup, and with the clients of one process."""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs
from nio import AsyncClient

from nio_identity_server import IdentityServer, IdentityServerConfig
from nio_identity_server.flows.lookup import CHUNK
from tests.bench import bare_server
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
from tests.bench.js_sdk import JsSdk
from tests.bench.syncs import Bot

_HASHED = 100_000  # messages of the bare loop, whatever the number of addresses
_JS_AT_MOST = 100_000  # addresses: beyond, matrix-js-sdk takes gigabytes
_FEW = 200  # clients, below which one round says little
_ROUNDS = 20
_AT_ONCE = 50  # clients that open their gates: waiting for each by itself takes minutes
_SPARE_FILES = 200  # beside one connection for each client

_CONFIG = IdentityServerConfig(default="https://id.example.org")


@attrs.frozen
class LookupCost:
    """What one lookup costs.

    Attributes:
        addresses: Looked up at once.
        memory: MiB at most, beside the addresses.
        per_address: Time for one address, in times of a bare SHA-256.
        js_sdk: The same of matrix-js-sdk, where it was measured.
    """

    addresses: int
    memory: float
    per_address: float
    js_sdk: float | None = None


@attrs.frozen
class ClientCost:
    """What one of many clients costs whose gate is open.

    Attributes:
        clients: In the process at once.
        memory: KiB for each, beside what a plain client holds after its first sync.
        opening: Processor time for the first sync and the way through the gate, over that of a
            plain client's first sync.
    """

    clients: int
    memory: float
    opening: float


async def lookups(
    sizes: Sequence[int], rounds: int, js_sdk: JsSdk | None = None
) -> list[LookupCost]:
    """Measure a lookup of each size."""
    messages = messages_of(list(addresses_of(_HASHED)))
    async with known_server() as (server, url):
        await stream(server, addresses_of(CHUNK), CHUNK)
        costs = [await _lookup(server, size, rounds, messages) for size in sizes]
        if js_sdk is None:
            return costs
        return [await _compared(cost, js_sdk, url, rounds, messages) for cost in costs]


async def _lookup(
    server: IdentityServer, size: int, rounds: int, messages: Sequence[bytes]
) -> LookupCost:
    given = list(addresses_of(size))

    async def once() -> None:
        await stream(server, given, size)

    memory = await peak_of(once) / 2**20
    hashes = await _in_hashes(lambda: seconds_of(once), rounds, messages)
    return LookupCost(size, memory, hashes / size)


async def _compared(
    cost: LookupCost, js_sdk: JsSdk, url: str, rounds: int, messages: Sequence[bytes]
) -> LookupCost:
    if cost.addresses > _JS_AT_MOST:
        return cost
    given = list(addresses_of(cost.addresses))

    async def once() -> float:
        return js_sdk.seconds(url, given)

    hashes = await _in_hashes(once, rounds, messages)
    return attrs.evolve(cost, js_sdk=hashes / cost.addresses)


async def _in_hashes(
    work: Callable[[], Awaitable[float]], rounds: int, messages: Sequence[bytes]
) -> float:
    """Give the median time of some work, in times of a bare hash that is timed in between."""
    ratios = []
    for _ in range(rounds):
        took = await work()
        ratios.append(took / seconds(lambda: bare(messages)) * len(messages))
    return statistics.median(ratios)


async def clients(sizes: Sequence[int]) -> list[ClientCost]:
    """Measure a process with so many clients, each size for itself."""
    _allow_files(max(sizes) + _SPARE_FILES)
    with bare_server.running("@alice:example.org") as url:
        for kind in (AsyncClient, Bot):  # what is made only once
            await _seconds_to_open(kind, url, _FEW)
        return [await _client(url, size) for size in sizes]


def _allow_files(number: int) -> None:
    """Let this process and its children have so many files open.

    Raises:
        ValueError: They may not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, max(number, hard)))


async def _client(url: str, size: int) -> ClientCost:
    ratios = []
    for _ in range(min(_ROUNDS, max(1, _FEW // size))):
        plain, mixed = [await _seconds_to_open(kind, url, size) for kind in (AsyncClient, Bot)]
        ratios.append(mixed / plain)
    plain_bytes, mixed_bytes = [await _bytes_open(kind, url, size) for kind in (AsyncClient, Bot)]
    memory = (mixed_bytes - plain_bytes) / size / 2**10
    return ClientCost(size, memory, statistics.median(ratios))


async def _seconds_to_open(kind: Callable[..., Any], url: str, number: int) -> float:
    gc.collect()
    began = time.process_time()
    crowd = await _opened(kind, url, number)
    spent = time.process_time() - began
    await _close(crowd)
    return spent


async def _bytes_open(kind: Callable[..., Any], url: str, number: int) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        crowd = await _opened(kind, url, number)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await _close(crowd)
    return after - before


async def _opened(kind: Callable[..., Any], url: str, number: int) -> list[Any]:
    """Clients that have synced, and whose gate is open if they have one."""
    given = {"identity_server_config": _CONFIG} if kind is Bot else {}
    crowd = [kind(url, **given) for _ in range(number)]
    for index, client in enumerate(crowd):
        client.user_id = client.access_token = f"@alice{index}:example.org"  # one for the other
    for start in range(0, number, _AT_ONCE):
        await asyncio.gather(*map(_open, crowd[start : start + _AT_ONCE]))
    return crowd


async def _open(client: Any) -> None:
    await client.sync()
    if isinstance(client, Bot):
        await client.identity_server._gate.enter()  # the gate alone, without a call


async def _close(crowd: Sequence[Any]) -> None:
    for client in crowd:
        await client.close()
