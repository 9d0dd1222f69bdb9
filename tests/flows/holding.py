"""An identity server in memory that keeps lookups waiting."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import attrs

from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.endpoints.lookup import HashDetails, LookupUsers, Mappings
from nio_identity_server.flows.directory import Directory
from nio_identity_server.flows.lookup import Peppers

USER = "@alice:example.org"


@attrs.define
class Server:
    """Finds some addresses; answers lookups when it is told to, if it is told to wait.

    Attributes:
        known: Hash -> user id; None for everybody.
        sizes: How many addresses each lookup asked about.
        waiting: Lookups that wait for an answer.
        most: How many waited at once.
    """

    known: dict[str, str] | None = None
    holds: bool = False
    error: Exception | None = None
    begun: int = 0
    sizes: list[int] = attrs.field(factory=list)
    orders: list[list[str]] = attrs.field(factory=list)
    waiting: list[asyncio.Future[None]] = attrs.field(factory=list)
    most: int = 0
    cancelled: int = 0

    def directory(self, invalid: str = "raise") -> Directory:
        """A question that is asked here."""

        async def begin() -> Any:
            self.begun += 1
            peppers = Peppers(self.ask, "https://x")
            await peppers.current()  # or else the second chunk could overtake the first
            return SimpleNamespace(ask=self.ask, peppers=peppers)

        return Directory(begin, allow_plaintext=False, invalid=invalid)

    async def ask(self, endpoint: Endpoint[Reply], /) -> Reply:
        """Answer a request."""
        if not isinstance(endpoint, LookupUsers):
            return cast("Reply", HashDetails("pepper", ("sha256",)))
        self.sizes.append(len(endpoint.addresses))
        self.orders.append(list(endpoint.addresses))
        if self.holds:
            await self._wait()
        if self.error is not None:
            raise self.error
        known = self.known
        if known is None:
            return cast("Reply", Mappings(dict.fromkeys(endpoint.addresses, USER)))
        return cast("Reply", Mappings({k: known[k] for k in endpoint.addresses if k in known}))

    async def _wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        self.most = max(self.most, len(self.waiting))
        try:
            await future
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.waiting.remove(future)

    async def held(self, count: int) -> None:
        """Give everything its turn, until so many lookups wait and nothing more happens."""
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(self.waiting) == count
