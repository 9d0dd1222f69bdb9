from __future__ import annotations

import asyncio

import pytest

from nio_identity_server.errors import NotConfirmed
from nio_identity_server.single_flight import SingleFlight


class Work:
    """Work that ends when it is told to, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.cancelled = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        """Work."""
        self.begun += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.ended += 1
        return self.begun


async def turns(count: int = 5) -> None:
    """Let everything go as far as it can."""
    for _ in range(count):
        await asyncio.sleep(0)


class TestRun:
    async def test_one_for_all(self) -> None:
        """All who ask at the same time wait for one and the same work."""
        work, flight = Work(), SingleFlight[int]()
        callers = [asyncio.create_task(flight.run(work)) for _ in range(100)]
        await turns()
        work.go.set()

        assert await asyncio.gather(*callers) == [1] * 100
        assert work.begun == 1

    async def test_again_afterwards(self) -> None:
        """Who asks later gets work of their own: nothing is remembered."""
        work, flight = Work(), SingleFlight[int]()
        work.go.set()

        assert [await flight.run(work), await flight.run(work)] == [1, 2]

    async def test_only_the_first_starts(self) -> None:
        """Who joins does not start anything, and gets what the first one asked for."""
        first, second, flight = Work(), Work(), SingleFlight[int]()
        callers = [asyncio.create_task(flight.run(work)) for work in (first, second)]
        await turns()
        first.go.set()

        assert await asyncio.gather(*callers) == [1, 1]
        assert second.begun == 0

    async def test_one_caller_is_cancelled(self) -> None:
        """A caller that goes away does not take the work from the others."""
        work, flight = Work(), SingleFlight[int]()
        leaving, staying = (asyncio.create_task(flight.run(work)) for _ in range(2))
        await turns()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        work.go.set()

        assert await staying == 1
        assert work.cancelled == 0

    async def test_all_callers_are_cancelled(self) -> None:
        """The work ends even if nobody waits for it any more."""
        work, flight = Work(), SingleFlight[int]()
        caller = asyncio.create_task(flight.run(work))
        await turns()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        work.go.set()
        await flight.rest()

        assert work.ended == 1


class TestCancel:
    async def test_callers(self) -> None:
        """Whoever waits hears that the client was closed, each by an exception of their own."""
        work, flight = Work(), SingleFlight[int]()
        callers = [asyncio.create_task(flight.run(work)) for _ in range(3)]
        await turns()
        flight.cancel()
        errors = await asyncio.gather(*callers, return_exceptions=True)

        assert [type(error) for error in errors] == [NotConfirmed] * 3
        assert len({id(error) for error in errors}) == 3
        assert all(isinstance(error, NotConfirmed) and not error.__context__ for error in errors)
        assert work.cancelled == 1

    async def test_afterwards(self) -> None:
        """New work may begin at once."""
        work, flight = Work(), SingleFlight[int]()
        caller = asyncio.create_task(flight.run(work))
        await turns()
        flight.cancel()
        work.go.set()

        assert await flight.run(work) == 2
        with pytest.raises(NotConfirmed):
            await caller

    async def test_together_with_a_caller(self) -> None:
        """A caller that is cancelled in the same moment is cancelled, and nothing else."""
        work, flight = Work(), SingleFlight[int]()
        for first, second in ((True, False), (False, True)):
            caller = asyncio.create_task(flight.run(work))
            await turns()
            if first:
                caller.cancel()
            flight.cancel()
            if second:
                caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller

    async def test_within_a_time_limit(self) -> None:
        """A caller whose time is over hears that, and not that the client was closed."""
        work, flight = Work(), SingleFlight[int]()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await flight.run(work)
        flight.cancel()

    async def test_nothing(self) -> None:
        """Nothing under way is nothing to end."""
        flight = SingleFlight[int]()
        flight.cancel()
        await flight.rest()
        work = Work()
        work.go.set()

        assert await flight.run(work) == 1
        flight.cancel()
        await flight.rest()


class TestRest:
    async def test_until_the_end(self) -> None:
        """It waits for the work, and starts none."""
        work, flight = Work(), SingleFlight[int]()
        flight.begin(work)
        resting = asyncio.create_task(flight.rest())
        await turns()
        assert not resting.done()

        work.go.set()
        await resting

        assert work.ended == 1
        await flight.rest()

    async def test_whatever_comes_of_it(self) -> None:
        """It does not matter how the work ends."""
        work, flight = Work(), SingleFlight[int]()
        task = flight.begin(work)
        resting = asyncio.create_task(flight.rest())
        await turns()
        task.cancel()
        await resting

        assert work.cancelled == 1

    async def test_cancelled(self) -> None:
        """Whoever rests may leave without ending the work."""
        work, flight = Work(), SingleFlight[int]()
        flight.begin(work)
        resting = asyncio.create_task(flight.rest())
        await turns()
        resting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await resting
        work.go.set()

        assert await flight.run(work) == 1


class TestSeveralLoops:
    def test_one_after_the_other(self) -> None:
        """Work that a former loop left behind is neither joined nor waited for."""
        flight = SingleFlight[int]()
        former = asyncio.new_event_loop()
        left = Work()

        async def begin() -> asyncio.Task[int]:
            task = flight.begin(left)
            await turns()
            return task

        async def later() -> int:
            await flight.rest()
            work = Work()
            work.go.set()
            return await flight.run(work)

        task = former.run_until_complete(begin())

        assert asyncio.run(later()) == 1
        assert not task.done()
        task.cancel()
        former.run_until_complete(asyncio.wait([task]))
        former.close()

    def test_a_cancel_after_the_loop(self) -> None:
        """A loop that is closed is not called into."""
        flight = SingleFlight[int]()

        async def begin() -> None:
            work = Work()
            work.go.set()
            await flight.run(work)

        asyncio.run(begin())
        flight.cancel()
        asyncio.run(begin())
