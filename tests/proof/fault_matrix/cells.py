"""One cell of the matrix: one fault at one endpoint, on one way."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import attrs
import pytest

from nio_identity_server.client import transport
from nio_identity_server.errors import IdentityServerError
from tests.canaries import assert_no_secret
from tests.proof.fault_matrix.answering import AnsweringServer, call_of
from tests.proof.fault_matrix.faults import HANGS_UP, Family, Fault, Limit
from tests.proof.fault_matrix.in_bodies import MIB
from tests.proof.fault_matrix.lines import SHORT, Ask, CallLine, Expected, Line
from tests.proof.fault_matrix.samples import SECRETS, SID, Sample, every_endpoint
from tests.raw_server import Certificates

SECONDS = 3.0
"""What any cell may take: no answer, however bad, keeps anybody waiting."""

_TIME_LIMITS = {Limit.CONNECT: "CONNECT_TIMEOUT", Limit.READ: "READ_TIMEOUT"}


@attrs.frozen
class Cell:
    """One fault at one endpoint, ready to be asked for."""

    sample: Sample
    server: AnsweringServer | None
    ask: Ask


@attrs.frozen
class Matrix:
    """One fault at every endpoint of one way.

    Attributes:
        line: The way.
        fault: The fault.
        certificates: For servers with TLS.
        wrong: What was not as it should be, by endpoint.
    """

    line: Line
    fault: Fault
    certificates: Certificates
    wrong: dict[str, str] = attrs.field(factory=dict)

    async def run(self) -> int:
        """Run every cell; tell how many there were."""
        samples = [each for each in self.line.samples if self.fault.scene(each) is not None]
        async with AsyncExitStack() as stack:
            # All are open before a time limit is short, and judged when it is long again.
            cells = [await stack.enter_async_context(self._open(each)) for each in samples]
            outcomes = await self._outcomes(cells)
            for cell, outcome in zip(cells, outcomes, strict=True):
                with self._complaints(cell.sample):
                    await self._judge(cell, outcome)
        return len(samples)

    @contextmanager
    def _complaints(self, sample: Sample) -> Iterator[None]:
        try:
            yield
        except (AssertionError, TimeoutError, IdentityServerError) as error:
            self.wrong.setdefault(sample.name, f"{type(error).__name__}: {error}")

    @asynccontextmanager
    async def _open(self, sample: Sample) -> AsyncIterator[Cell]:
        async with self.fault.place(self.certificates) as place:
            async with self.line.open(place, self.fault, self.certificates) as ask:
                if place.server is not None:
                    place.server.requests.clear()
                    place.server.fail(call_of(sample), self.fault.scene(sample) or ())
                yield Cell(sample, place.server, ask)
            if place.server is not None:
                with self._complaints(sample):
                    await place.server.left()

    async def _outcomes(self, cells: list[Cell]) -> list[Outcome]:
        with pytest.MonkeyPatch.context() as patch:
            shorten(patch, self.fault.limit)
            if not self.fault.is_large:
                return await asyncio.gather(
                    *(_outcome(each.ask(each.sample.endpoint)) for each in cells)
                )
            return [await self._measured(each) for each in cells]

    async def _measured(self, cell: Cell) -> Outcome:
        tracemalloc.start()
        try:
            outcome = await _outcome(cell.ask(cell.sample.endpoint))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # A body that is just small enough exists twice, for a moment.
        return attrs.evolve(outcome, is_greedy=peak > 8 * MIB + 2 * cell.sample.endpoint.cap)

    async def _judge(self, cell: Cell, outcome: Outcome) -> None:
        assert not outcome.is_greedy, "it took too much memory"
        assert outcome.seconds < SECONDS, f"it took {outcome.seconds:.1f} s"
        _judge_error(outcome.error, self.line.expected(self.fault, cell.sample))
        if cell.server is None:
            return
        if self.fault.family is Family.UNREACHABLE:
            assert not cell.server.received, "it sent something"
            return
        count = cell.server.count(call_of(cell.sample))
        if self.fault.family is Family.REDIRECT:
            count = len(cell.server.requests)  # wherever it leads
        allowed = self.line.requests(self.fault, cell.sample)
        assert count in allowed, f"{count} requests, not {allowed}"
        if self.fault.family in HANGS_UP:
            await cell.server.left()
        if isinstance(self.line, CallLine):
            cell.server.recover()
            await cell.ask(cell.sample.endpoint)


@attrs.frozen
class Outcome:
    """What became of a request.

    Attributes:
        error: What was raised, or None.
        seconds: How long it took.
        is_greedy: Whether it took too much memory, as far as that was measured.
    """

    error: BaseException | None
    seconds: float
    is_greedy: bool = False


async def _outcome(work: Awaitable[object]) -> Outcome:
    began = time.monotonic()
    error: BaseException | None = None
    try:
        async with asyncio.timeout(20):
            await work
    except Exception as raised:  # noqa: BLE001 -- judged later
        error = raised
    return Outcome(error, time.monotonic() - began)


def _judge_error(error: BaseException | None, expected: Expected) -> None:
    if error is None or expected is None:
        assert error is expected, f"{error!r}, not {expected}"
        return
    assert type(error) is expected, f"{error!r}, not {expected.__name__}"
    assert error.__context__ is None
    assert_no_secret(error, SECRETS)
    assert SID not in f"{error!s}{error!r}", "it tells the session"


def shorten(patch: pytest.MonkeyPatch, limit: Limit | None) -> None:
    """Have one time limit of the transport be short."""
    if limit is Limit.TOTAL:
        for kind in every_endpoint():
            patch.setattr(kind, "timeout", SHORT)
    elif limit is not None:
        patch.setattr(transport, _TIME_LIMITS[limit], SHORT)
