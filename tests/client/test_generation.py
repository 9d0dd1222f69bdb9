from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import attrs
import pytest

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.connections import Connections
from nio_identity_server.client.generation import Generation
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.errors import CannotConnect, IdentityServerChanged
from nio_identity_server.preference.resolution import Resolution, Source
from tests.raw_server import End, RawServer, Repeat, Script, answer

URL = parse_base_url("https://id.example.org")
REASON = "the user chose another server"


def a_generation() -> Generation:
    """One that has just begun."""
    return Generation(URL, Resolution(URL, Source.ACCOUNT_DATA))


async def value(result: int = 5) -> int:
    """Work that is done at once."""
    return result


async def until(future: asyncio.Future[int]) -> int:
    """Work that ends with a future."""
    return await future


async def changed(work: Awaitable[object]) -> IdentityServerChanged:
    """The exception that work in an ended generation ends with, and soon.

    Soon is within a few turns of the event loop: no clock can tell that on a busy machine.
    """
    task = asyncio.ensure_future(work)
    for _ in range(10):
        await asyncio.sleep(0)
    assert task.done()
    with pytest.raises(IdentityServerChanged) as caught:
        await task

    assert (caught.value.server, caught.value.reason) == (str(URL), REASON)
    assert caught.value.__context__ is None
    return caught.value


def new_future() -> asyncio.Future[int]:
    """Something to wait for."""
    return asyncio.get_running_loop().create_future()


async def running(generation: Generation, work: Awaitable[int]) -> asyncio.Task[int]:
    """Work that has begun in a generation."""
    task = asyncio.create_task(generation.run(work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


class TestWhileItLasts:
    async def test_a_result(self) -> None:
        """Work succeeds as it would without."""
        assert await a_generation().run(value()) == 5

    @pytest.mark.parametrize(
        "error", [ValueError("x"), CannotConnect("s", "x"), TimeoutError("inner"), KeyError("x")]
    )
    async def test_an_error(self, error: Exception) -> None:
        """And fails as it would without, for lack of time too."""

        async def fail() -> None:
            raise error

        with pytest.raises(type(error)) as caught:
            await a_generation().run(fail())

        assert caught.value is error

    async def test_an_inner_time_limit(self) -> None:
        """A time limit inside is one, and not the end of the generation."""

        async def slow() -> None:
            async with asyncio.timeout(0.01):
                await new_future()

        with pytest.raises(TimeoutError):
            await a_generation().run(slow())

    async def test_an_outer_time_limit(self) -> None:
        """So is one outside."""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await a_generation().run(new_future())

    async def test_cancelled(self) -> None:
        """A caller may go away, and nothing is left."""
        generation = a_generation()
        task = await running(generation, new_future())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert generation._running == {}
        generation.end(REASON)


class TestItsEnd:
    async def test_stops_all_work(self) -> None:
        """All that runs in it stops at once."""
        generation = a_generation()
        tasks = [await running(generation, new_future()) for _ in range(10)]
        generation.end(REASON)

        errors = [await changed(task) for task in tasks]

        assert len({id(error) for error in errors}) == 10
        assert generation.ended == REASON
        assert generation._running == {}

    async def test_stops_work_that_tries_again(self) -> None:
        """Work cannot go on by taking its end for a failure of the network."""

        async def again() -> None:
            while True:
                try:
                    await new_future()
                except OSError:
                    continue

        generation = a_generation()
        task = asyncio.create_task(generation.run(again()))
        await asyncio.sleep(0)
        generation.end(REASON)

        await changed(task)

    async def test_when_the_work_has_just_succeeded(self) -> None:
        """A result that is there but not yet taken is of the old server: it is dropped."""
        generation, future = a_generation(), new_future()
        task = await running(generation, future)
        future.set_result(5)
        generation.end(REASON)

        await changed(task)

    async def test_just_before_the_work_succeeds(self) -> None:
        """The other way round as well."""
        generation, future = a_generation(), new_future()
        task = await running(generation, until(future))
        generation.end(REASON)
        if not future.done():
            future.set_result(5)

        await changed(task)

    async def test_when_the_work_itself_ends_it(self) -> None:
        """Work that learns of the change itself does not bring home a result."""
        generation = a_generation()

        async def work() -> int:
            generation.end(REASON)
            return 5

        await changed(generation.run(work()))

    async def test_when_the_work_has_just_failed(self) -> None:
        """Why the old server did not answer is of no interest any more."""
        generation, future = a_generation(), new_future()
        task = await running(generation, future)
        future.set_exception(CannotConnect("https://id.example.org", "reset"))
        generation.end(REASON)

        await changed(task)

    async def test_an_error_that_is_not_ours(self) -> None:
        """A mistake in a program is not hidden."""
        generation = a_generation()

        async def work() -> None:
            generation.end(REASON)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await generation.run(work())

    async def test_a_time_limit_at_the_same_time(self) -> None:
        """Time that ran out inside, in the same moment, is no other story."""
        generation, future = a_generation(), new_future()
        task = await running(generation, until(future))
        generation.end(REASON)
        future.set_exception(TimeoutError())

        await changed(task)

    async def test_before_the_work_begins(self) -> None:
        """What comes too late is not even begun: nothing more is sent to the old server."""
        generation = a_generation()
        generation.end(REASON)
        begun: list[str] = []

        async def work() -> None:
            begun.append("sent")

        await changed(generation.run(work()))

        assert begun == []

    async def test_something_under_way_already(self) -> None:
        """It is not waited for: a future may be somebody else's and is left alone."""
        generation, future = a_generation(), new_future()
        generation.end(REASON)

        await changed(generation.run(future))

        assert not future.done()

    @pytest.mark.parametrize("first", ["caller", "generation"])
    async def test_together_with_the_caller(self, first: str) -> None:
        """A caller that is cancelled in the same moment is cancelled: that is stronger."""
        generation = a_generation()
        task = await running(generation, new_future())
        if first == "caller":
            task.cancel()
            generation.end(REASON)
        else:
            generation.end(REASON)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_a_turn_before_the_caller(self) -> None:
        """Also when the end has already begun to stop the work."""
        generation = a_generation()
        task = await running(generation, new_future())
        generation.end(REASON)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_the_task_goes_on(self) -> None:
        """The caller's task is not marked as cancelled, and may try again."""
        generation = a_generation()

        async def caller() -> int:
            with pytest.raises(IdentityServerChanged):
                await generation.run(new_future())
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
            await asyncio.sleep(0)
            return await a_generation().run(value())

        task = asyncio.create_task(caller())
        await asyncio.sleep(0)
        generation.end(REASON)

        assert await task == 5

    async def test_twice(self) -> None:
        """The last reason is told."""
        generation = a_generation()
        task = await running(generation, new_future())
        generation.end("another reason")
        generation.end(REASON)

        await changed(task)

    async def test_nested(self) -> None:
        """Work may run in it inside of work that does."""
        generation = a_generation()
        task = asyncio.create_task(generation.run(generation.run(new_future())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        generation.end(REASON)

        await changed(task)

    async def test_an_end_without_a_reason(self) -> None:
        """There is always a reason to tell."""
        assert a_generation().changed().reason == "it ended"

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param([End.STALL], id="before the answer"),
            pytest.param([answer(b"{", length=2), End.STALL], id="in the body"),
            pytest.param([answer(b"", length=10**4), Repeat(b" ", 0.005)], id="drip"),
        ],
    )
    async def test_closes_the_connection(self, script: Script) -> None:
        """T10: a request that is under way is ended at the server as well."""
        async with RawServer(script) as server:
            connections = Connections(_NioSettings())
            generation = a_generation()
            request = Transport(connections).ask(parse_base_url(server.url), Ping(), trusted=True)
            task = asyncio.create_task(generation.run(request))
            await server.asked()
            generation.end(REASON)

            await changed(task)
            await server.left()
            await connections.close()

            assert len(server.requests) == 1


@attrs.define
class _NioSettings:
    proxy: str | None = None
    ssl: Any = None


class TestSeveralLoops:
    def test_work_of_another_loop(self) -> None:
        """Work of another loop is not touched from here, but brings no result home either."""
        generation = a_generation()
        former = asyncio.new_event_loop()

        async def begin() -> tuple[asyncio.Future[int], asyncio.Task[int]]:
            future = new_future()
            return future, await running(generation, future)

        async def end() -> None:
            generation.end(REASON)

        future, task = former.run_until_complete(begin())
        asyncio.run(end())
        assert not task.done()

        future.set_result(5)
        former.run_until_complete(changed(task))
        former.close()
