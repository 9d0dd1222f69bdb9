from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.change import Change
from nio_identity_server.client.listeners import Listeners
from nio_identity_server.preference.account_data import Chosen, Disabled
from nio_identity_server.preference.evidence import Witness

URL = parse_base_url("https://id.example.org")
CHANGE = Change(Chosen(URL), Disabled(), next(iter(Witness)), own=False)


async def turns(count: int = 5) -> None:
    """Let everything go as far as it can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_sync_and_async() -> None:
    """A listener is a function or a coroutine function, and is told what changed."""
    heard: list[tuple[str, Change]] = []
    listeners = Listeners()
    listeners.add(lambda change: heard.append(("sync", change)))

    async def listen(change: Change) -> None:
        await asyncio.sleep(0)
        heard.append(("async", change))

    listeners.add(listen)
    listeners.tell(CHANGE)
    await turns()

    assert heard == [("sync", CHANGE), ("async", CHANGE)]


async def test_not_before_the_caller_goes_on() -> None:
    """Nothing of a listener runs inside of what tells it."""
    heard: list[Change] = []
    listeners = Listeners()
    listeners.add(heard.append)
    listeners.tell(CHANGE)

    assert heard == []
    await turns()
    assert heard == [CHANGE]


async def test_every_change_in_order() -> None:
    """Changes are told in their order, each once."""
    heard: list[Change] = []
    listeners = Listeners()
    listeners.add(heard.append)
    back = Change(Disabled(), Chosen(URL), CHANGE.source, own=True)
    for change in (CHANGE, back, CHANGE):
        listeners.tell(change)
    await turns()

    assert heard == [CHANGE, back, CHANGE]


async def test_the_end_of_listening() -> None:
    """What ``add`` returns ends it, as often as one likes, and for this one only."""
    heard: list[Change] = []
    listeners = Listeners()
    end, _ = listeners.add(heard.append), listeners.add(heard.append)
    end()
    end()
    listeners.tell(CHANGE)
    await turns()

    assert heard == [CHANGE]


async def test_a_listener_that_ends_itself() -> None:
    """A listener may end itself, or add another, while it is told."""
    heard: list[str] = []
    listeners = Listeners()

    def listen(_: Change) -> None:
        heard.append("once")
        end()
        listeners.add(lambda _: heard.append("another"))

    end = listeners.add(listen)
    listeners.tell(CHANGE)
    await turns()
    assert heard == ["once"]

    listeners.tell(CHANGE)
    await turns()
    assert heard == ["once", "another"]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_error(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """What a listener raises is logged whole and hurts nobody, other listeners included."""
    heard: list[Change] = []
    listeners = Listeners()

    def fail(_: Change) -> None:
        raise ValueError("a mistake of the application")

    async def fail_later(change: Change) -> None:
        fail(change)

    listeners.add(fail if kind == "sync" else fail_later)
    listeners.add(heard.append)
    listeners.tell(CHANGE)
    await turns()

    assert heard == [CHANGE]
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.name == "nio_identity_server"
    assert record.exc_info is not None
    assert "a mistake of the application" in caplog.text


async def test_a_listener_that_waits() -> None:
    """A listener holds up nobody, and is not forgotten while it waits."""
    heard: list[Change] = []
    listeners = Listeners()
    go = asyncio.Event()

    async def listen(change: Change) -> None:
        await go.wait()
        heard.append(change)

    listeners.add(listen)
    listeners.add(heard.append)
    listeners.tell(CHANGE)
    await turns()
    gc.collect()
    assert heard == [CHANGE]

    go.set()
    await turns()

    assert heard == [CHANGE, CHANGE]
    assert listeners._tasks == set()


async def test_a_listener_that_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """A listener may be cancelled, and that is no error."""
    listeners = Listeners()

    async def listen(_: Change) -> None:
        raise asyncio.CancelledError

    listeners.add(listen)
    listeners.tell(CHANGE)
    await turns()

    assert listeners._tasks == set()
    assert caplog.records == []
