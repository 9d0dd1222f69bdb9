"""What a server has seen: connections, bytes, requests, and clients that went away."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from nio_identity_server.testing.faults import Scope
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.signals import Signal

_SHOWN = 10


class Journal:
    """Everything that reached a server, for a test to assert on.

    Attributes:
        requests: All requests in order of arrival, held and failed ones too.
        disconnected: Requests whose client went away before the answer was sent.
        connections: How many TCP connections were accepted, with or without a request.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.disconnected: list[Request] = []
        self.connections = 0
        self._raw = bytearray()
        self._news = Signal()
        self._numbers = itertools.count(1)

    @property
    def raw_bytes(self) -> bytes:
        """Every byte received on any connection (after TLS), be it HTTP or not."""
        return bytes(self._raw)

    def clear(self) -> None:
        """Forget what was seen; the server's state and its scripted faults stay."""
        self.requests.clear()
        self.disconnected.clear()
        self.connections = 0
        self._raw.clear()

    def seen(self, method: str | None = None, path: str | None = None) -> list[Request]:
        """Give the requests of this method whose path contains (or matches) `path`."""
        scope = Scope(method, path)
        return [request for request in self.requests if scope.covers(request)]

    async def wait_for(
        self,
        method: str | None = None,
        path: str | None = None,
        count: int = 1,
        timeout: float = 5.0,  # noqa: ASYNC109 -- the limit is part of what a test says
    ) -> list[Request]:
        """Wait until so many matching requests have arrived since the last `clear`, and give them.

        Raises:
            TimeoutError: Fewer arrived in that many seconds; it names what did arrive.
        """
        wanted = f"{count} x {method or 'any method'} {path or 'any path'}"
        try:
            await self._news.until(lambda: len(self.seen(method, path)) >= count, timeout, wanted)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self._arrivals()}") from None
        return self.seen(method, path)

    async def wait_for_disconnect(self, count: int = 1, timeout: float = 5.0) -> list[Request]:  # noqa: ASYNC109 -- the limit is part of what a test says
        """Wait until so many clients have gone away unanswered, and give their requests.

        Raises:
            TimeoutError: Fewer did in that many seconds.
        """
        wanted = f"{count} clients that went away"
        await self._news.until(lambda: len(self.disconnected) >= count, timeout, wanted)
        return self.disconnected

    async def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:  # noqa: ASYNC109 -- the limit is part of what a test says
        """Wait until a condition on what was seen holds, say on `connections` or `raw_bytes`.

        Raises:
            TimeoutError: It did not come to hold in that many seconds.
        """
        await self._news.until(condition, timeout)

    def _arrivals(self) -> str:
        lines = [f"{request.method} {request.path}" for request in self.requests]
        more = f"{len(lines) - _SHOWN} others, " if len(lines) > _SHOWN else ""
        return f"there were {more}{', '.join(lines[-_SHOWN:]) or 'no requests at all'}"

    def _accepted(self) -> int:
        self.connections += 1
        self._news.ring()
        return next(self._numbers)

    def _received(self, data: bytes) -> None:
        self._raw += data
        self._news.ring()

    def _arrived(self, request: Request) -> None:
        self.requests.append(request)
        self._news.ring()

    def _gone(self, request: Request) -> None:
        self.disconnected.append(request)
        self._news.ring()
