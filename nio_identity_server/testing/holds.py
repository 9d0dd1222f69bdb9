"""Keeping requests waiting until a test lets them go."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self

from nio_identity_server.testing.faults import Scope
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.signals import Signal

Stage = Literal["arrival", "answer", "body"]


class Hold:
    """Keeps requests waiting; also an async context manager that releases at its end.

    Attributes:
        requests: The requests that have reached the hold, in order.
    """

    def __init__(self, scope: Scope, stage: Stage, left: int | None) -> None:
        self.requests: list[Request] = []
        self._scope = scope
        self._stage = stage
        self._left = left
        self._released = False
        self._signal = Signal()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    @property
    def released(self) -> bool:
        """Whether the hold is over."""
        return self._released

    def release(self) -> None:
        """Let go of all that wait, and hold nothing any more."""
        self._released = True
        self._signal.ring()

    async def reached(self, count: int = 1, timeout: float = 5.0) -> list[Request]:  # noqa: ASYNC109 -- the limit is part of what a test says
        """Wait until so many requests have reached the hold, and give them.

        Raises:
            TimeoutError: Fewer did in that many seconds.
        """
        wanted = f"{count} requests in the hold"
        await self._signal.until(lambda: len(self.requests) >= count, timeout, wanted)
        return self.requests

    def takes(self, request: Request) -> bool:
        """Tell whether a request that arrives is to be held, and count it."""
        if self._released or self._left == 0 or not self._scope.covers(request):
            return False
        if self._left is not None:
            self._left -= 1
        return True

    async def keep(self, request: Request, stage: Stage) -> None:
        """Wait here if this is the hold's stage."""
        if stage == self._stage:
            self.requests.append(request)
            self._signal.ring()
            await self._signal.until(lambda: self._released)


class Holds:
    """The holds of a server."""

    def __init__(self) -> None:
        self._holds: list[Hold] = []

    def hold(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        stage: Stage = "arrival",
        times: int | None = None,
    ) -> Hold:
        """Keep matching requests waiting until the hold is released.

        Args:
            method: Only requests of this method.
            path: Only requests whose decoded path contains this, or matches it as an expression.
            stage: `"arrival"`: before the request is processed. `"answer"`: it has taken effect,
                the answer is kept back. `"body"`: headers and half of the body are sent as well.
            times: How many requests; `None` for all that arrive before the release.
        """
        hold = Hold(Scope(method, path), stage, times)
        self._holds.append(hold)
        return hold

    def _take_holds(self, request: Request) -> list[Hold]:
        self._holds = [hold for hold in self._holds if not hold.released]
        return [hold for hold in self._holds if hold.takes(request)]
