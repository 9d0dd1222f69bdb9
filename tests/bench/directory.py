"""A bot at an identity server, addresses to look up there, and the bare loop over SHA-256."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

from nio_identity_server import IdentityServer, IdentityServerConfig
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.flows.lookup import CHUNK
from nio_identity_server.testing import MatrixHomeserver
from tests.bench import bare_server
from tests.bench.bare_server import PEPPER, found_of
from tests.bench.syncs import Bot


@asynccontextmanager
async def known_server() -> AsyncIterator[tuple[IdentityServer, str]]:
    """A bot that is known to an identity server in another process, and that server's URL."""
    async with MatrixHomeserver() as homeserver:
        account = homeserver.register("alice")
        with bare_server.running(account.user_id) as url:
            config = IdentityServerConfig(default=url)
            bot = Bot(homeserver.url, account.user_id, identity_server_config=config)
            bot.access_token = account.access_token
            try:
                await bot.sync()
                await bot.identity_server.call(GetAccount())
                yield bot.identity_server, url
            finally:
                await bot.close()


def addresses_of(number: int) -> Iterator[str]:
    """Addresses of 33 characters, as people write them."""
    for index in range(number):
        yield f"First.Lastname{index:07}@Example{index % 10}.org"


def messages_of(addresses: Sequence[str]) -> list[bytes]:
    """What is hashed of addresses, ready."""
    return [f"{address.casefold()} email {PEPPER}".encode() for address in addresses]


def bare(messages: Sequence[bytes]) -> None:
    """Hash, and nothing else: what everything is compared with."""
    for message in messages:
        sha256(message).digest()


async def stream(server: IdentityServer, addresses: Iterable[str], number: int) -> None:
    """Look so many addresses up, and keep none of the answers."""
    found = 0
    async for _ in server.lookup_stream(addresses):
        found += 1
    whole, rest = divmod(number, CHUNK)
    if found != whole * found_of(CHUNK) + found_of(rest):
        raise AssertionError("the lookup did not find what the server says")


def seconds(work: Callable[[], None]) -> float:
    """Time some work by the clock."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def seconds_of(work: Callable[[], Awaitable[Any]]) -> float:
    """Time what has to be awaited, by the clock."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def peak_of(work: Callable[[], Awaitable[Any]]) -> int:
    """Bytes that some work holds at most, beside what was there before."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
