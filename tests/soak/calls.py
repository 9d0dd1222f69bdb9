"""Many clients, many calls, some trouble: what is used at the end is what was used before.

The servers run in a process of their own, so that all that grows here is ours, nio's or aiohttp's.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import stamina
from nio import AsyncClientConfig

from nio_identity_server import IdentityServerConfig, IdentityServerError, email
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import GetVersions
from tests.bots import Bot
from tests.environments import CHECKOUT
from tests.soak.servers import ADDRESS

CALLS_PER_CHANGE = 500
"""Every so many calls a user changes servers."""

AT_ONCE = 2
"""Calls of one client at the same time, so that a change meets what is under way."""

ROUNDS = 10
"""How often what is used is measured; the first round is the warm-up."""

_BOOK = (ADDRESS, *(f"person{number}@example.org" for number in range(19)))


@attrs.frozen
class Use:
    """What the process uses when no client has anything open.

    Attributes:
        resident: Bytes of memory.
        objects: Objects that the garbage collector knows.
        descriptors: Open files and sockets.
        tasks: Tasks of the event loop, the one that asks left out.
    """

    resident: int
    objects: int
    descriptors: int
    tasks: int

    @classmethod
    def now(cls) -> Use:
        """Measure."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return cls(
            pages * 4096,
            len(gc.get_objects()),
            sum(1 for _ in Path("/proc/self/fd").iterdir()),
            len(asyncio.all_tasks()) - 1,
        )


@attrs.define(eq=False)
class Soak:
    """What happened.

    Attributes:
        uses: What was used after each round.
        answers: How many calls ended in which way: ``answered``, or the name of our exception.
        foreign: Exceptions that are not ours, and answers that were wrong.
        seen: What the servers say at the end.
    """

    uses: list[Use] = attrs.field(factory=list)
    answers: Counter[str] = attrs.field(factory=Counter)
    foreign: list[str] = attrs.field(factory=list)
    seen: dict[str, int] = attrs.field(factory=dict)

    @property
    def growth(self) -> dict[str, int]:
        """How much more is used at the end than after the warm-up, by what."""
        first, last = self.uses[0], self.uses[-1]
        return {
            field.name: getattr(last, field.name) - getattr(first, field.name)
            for field in attrs.fields(Use)
        }


@attrs.define(eq=False)
class _Client:
    """One user with a bot, who does one thing after the other."""

    bot: Any
    carols: dict[str, str]
    random: random.Random
    done: int = 0

    async def do_something(self, soak: Soak) -> None:
        self.done += 1
        change = self.done % CALLS_PER_CHANGE == 1
        work = self.change if change else self.random.choice(self._acts)
        try:
            await work()
        except IdentityServerError as error:
            soak.answers[type(error).__name__] += 1
        except Exception as error:  # noqa: BLE001  # the very thing that is looked for
            soak.foreign.append(repr(error))
        else:
            soak.answers["answered"] += 1

    @property
    def _acts(self) -> tuple[Callable[[], Awaitable[object]], ...]:
        server = self.bot.identity_server
        return (
            self.look_up,
            self.look_up,
            self.look_up,
            lambda: server.call(GetVersions()),
            lambda: server.call(GetAccount()),
            server.pending_terms,
            server.refresh,
            lambda: server.check(self.random.choice(list(self.carols))),
        )

    async def change(self) -> None:
        """Choose the next server."""
        await self.bot.identity_server.set(self.random.choice(list(self.carols)))

    async def look_up(self) -> None:
        """Look twenty addresses up, of which each server knows another user for one."""
        found = await self.bot.identity_server.lookup(_BOOK)
        if found[email(ADDRESS)] not in self.carols.values() or len(found) != 1:
            raise AssertionError("a lookup found something else")


async def soak(calls: int, *, clients: int, faults: float = 0.05) -> Soak:
    """Make so many calls, by so many clients at the same time.

    Args:
        calls: How many in all.
        clients: How many clients share them.
        faults: The share of requests that end badly.
    """
    result = Soak()
    with stamina.set_testing(True, attempts=4):  # retries follow at once
        async with _servers(clients=clients, faults=faults) as (place, seen):
            team = [_client(place, number) for number in range(clients)]
            for _ in range(ROUNDS):
                each = max(1, calls // ROUNDS // clients // AT_ONCE)
                workers = [_work(one, each, result) for one in team for _ in range(AT_ONCE)]
                await asyncio.gather(*workers)
                for one in team:
                    await one.bot.close()
                result.uses.append(Use.now())
        result.seen.update(seen)
    return result


async def _work(client: _Client, calls: int, result: Soak) -> None:
    for _ in range(calls):
        await client.do_something(result)


def _client(place: dict[str, Any], number: int) -> _Client:
    user_id, token = place["accounts"][number]
    bot = Bot(
        place["homeserver"],
        user_id,
        config=AsyncClientConfig(max_timeouts=0, max_limit_exceeded=0),
        identity_server_config=IdentityServerConfig(
            default=next(iter(place["carols"])),
            trusted=list(place["carols"]),
            sync_wait=0.01,
        ),
    )
    bot.user_id, bot.access_token = user_id, token
    return _Client(bot, place["carols"], random.Random(number))  # noqa: S311


@contextlib.asynccontextmanager
async def _servers(**order: Any) -> AsyncIterator[tuple[dict[str, Any], dict[str, int]]]:
    """Start the servers; gives where they are, and what they have seen when they have ended."""
    seen: dict[str, int] = {}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.servers"),
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        yield json.loads(await process.stdout.readline()), seen
    finally:
        process.stdin.close()
        with contextlib.suppress(ValueError):
            seen.update(json.loads(await process.stdout.readline()))
        await process.wait()
