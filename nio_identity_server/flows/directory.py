"""Looking up any number of addresses: in chunks, a few at once, in constant memory."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from itertools import islice
from typing import Any, TypeVar, cast, overload

import attrs

from nio_identity_server.batch import Batch, leave_out_duplicates, read_batch
from nio_identity_server.errors import InvalidAddress
from nio_identity_server.flows.lookup import AT_ONCE, CHUNK, Lookup, Match
from nio_identity_server.flows.session import Session
from nio_identity_server.threepid import NO_ADDRESS, ThreePid, parse_threepid

Address = ThreePid | str

T = TypeVar("T")

_log = logging.getLogger("nio_identity_server")


class Found(Mapping[ThreePid, str]):
    """Who is on Matrix: from 3PID to user ID, and to be asked by any spelling.

    ``found["Alice@Example.org"]`` and ``found[email("alice@example.org")]`` are the same.

    Attributes:
        duplicates: Addresses that were given more than once, in whatever spelling, each once here.
    """

    def __init__(
        self, users: Mapping[ThreePid, str], duplicates: tuple[ThreePid, ...] = ()
    ) -> None:
        self._users = users
        self.duplicates = duplicates

    def __getitem__(self, key: Address) -> str:
        if key not in self:
            raise KeyError("not found")  # without the key: it may be somebody's address
        return self._users[parse_threepid(key)]

    @overload
    def get(self, key: Address, /) -> str | None: ...
    @overload
    def get(self, key: Address, default: str | T, /) -> str | T: ...
    def get(self, key: Address, default: Any = None, /) -> Any:
        """Give the user ID of an address in any spelling, or the default."""
        return super().get(cast("ThreePid", key), default)

    def __contains__(self, key: object) -> bool:
        try:
            return parse_threepid(key) in self._users  # type: ignore[arg-type] # it checks
        except InvalidAddress:
            return False

    def __iter__(self) -> Iterator[ThreePid]:
        return iter(self._users)

    def __len__(self) -> int:
        return len(self._users)

    def __repr__(self) -> str:
        return f"<Found {len(self)}>"


async def look_up(session: Session, threepids: Iterable[ThreePid]) -> Found:
    """Ask, in a session that has been entered already."""

    async def begin() -> Session:
        return session

    return await Directory(begin, allow_plaintext=False, invalid="raise").find(threepids)


@attrs.frozen(eq=False)
class Directory:
    """One question about many addresses.

    Attributes:
        begin: Passes the gate and gives the session to ask in.
        allow_plaintext: Whether addresses may be sent in the clear.
        invalid: ``raise`` or ``skip``.
    """

    begin: Callable[[], Awaitable[Session]]
    allow_plaintext: bool
    invalid: str = attrs.field(validator=attrs.validators.in_({"raise", "skip"}))

    async def find(self, addresses: Iterable[Address]) -> Found:
        """Ask about all of them; nothing is sent if one of them is bad."""
        if isinstance(addresses, str):
            raise TypeError("lookup() takes many addresses, not one string")
        batches = [batch async for batch in self._read(_chunks(addresses), at_once=True)]
        distinct = leave_out_duplicates(batches)
        if distinct.duplicates:
            number = len(distinct.duplicates)
            _log.info("%d of the addresses to look up were given more than once", number)
        found: dict[ThreePid, str] = {}
        async for matches in self._ask(_again(distinct.batches)):
            found.update(matches)
        return Found(found, distinct.duplicates)

    async def stream(
        self, addresses: Iterable[Address] | AsyncIterable[Address]
    ) -> AsyncIterator[Match]:
        """Ask while reading on; a bad address ends it when it is reached."""
        if isinstance(addresses, str):
            raise TypeError("lookup_stream() takes many addresses, not one string")
        chunks = (
            _chunks_async(addresses) if isinstance(addresses, AsyncIterable) else _chunks(addresses)
        )
        # Closed here, and not when the garbage collector comes: a caller may leave early.
        async with aclosing(self._ask(self._read(chunks, at_once=False))) as answers:
            async for matches in answers:
                for match in matches:
                    yield match

    async def _read(
        self, chunks: AsyncIterator[Sequence[Address]], *, at_once: bool
    ) -> AsyncIterator[Batch]:
        """Canonical batches; bad addresses are reported at once, or all together at the end."""
        start, bad = 0, list[int]()
        async for chunk in chunks:
            batch = read_batch(chunk)
            if self.invalid == "raise":
                bad += [start + position for position in batch.invalid]
            if not at_once:
                self._refuse(bad)
            if len(batch):
                yield batch
            start += len(chunk)
        self._refuse(bad)

    def _refuse(self, positions: list[int]) -> None:
        if positions:
            raise InvalidAddress(NO_ADDRESS, tuple(positions))

    async def _ask(self, batches: AsyncIterator[Batch]) -> AsyncGenerator[list[Match], None]:
        """Ask about each batch, a few at once, and give the answers in order."""
        session = await self.begin()
        lookup = Lookup(session.ask, session.peppers, self.allow_plaintext)
        tasks: deque[asyncio.Task[list[Match]]] = deque()
        try:
            async for batch in batches:
                tasks.append(asyncio.create_task(lookup.find(batch)))
                if len(tasks) == AT_ONCE:
                    yield await tasks[0]
                    tasks.popleft()
            while tasks:
                yield await tasks[0]
                tasks.popleft()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _chunks(addresses: Iterable[Address]) -> AsyncIterator[Sequence[Address]]:
    """Chunks of a sync iterable; the event loop gets its turn between them."""
    iterator = iter(addresses)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
        await asyncio.sleep(0)


async def _chunks_async(addresses: AsyncIterable[Address]) -> AsyncIterator[Sequence[Address]]:
    chunk: list[Address] = []
    async for address in addresses:
        chunk.append(address)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _again(batches: Iterable[Batch]) -> AsyncIterator[Batch]:
    for batch in batches:
        yield batch
