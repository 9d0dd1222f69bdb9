"""What the machine has found, each as the shortest story that shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from nio_identity_server import IdentityDisabled

from .acts import Acts
from .stage import Stage

NULL: dict[str, Any] = {"base_url": None}


@pytest.fixture(name="world")
def _world() -> Iterator[Acts]:
    """A world without a default; at the end everything has to be right."""
    with Stage() as stage:
        world = Acts(stage, None, stage.urls)
        yield world
        if not world.finished:
            with _forgiving(world):
                world.finish()


def _forgiving(world: Acts) -> contextlib.AbstractContextManager[object]:
    """One failure for one mistake is enough."""
    return contextlib.suppress(AssertionError) if world.violations else contextlib.nullcontext()


def _chooses(world: Acts, which: int) -> None:
    world.elsewhere({"base_url": world.stage.urls[which]})


def test_a_read_from_before_our_write_does_not_undo_it(world: Acts) -> None:
    """Read while our PUT waits, an old value must not be adopted after the PUT was stored."""
    world.refresh()
    hold = world.hold("PUT", "arrival")
    write = world.disable()
    _chooses(world, 0)
    world.sync(initial=True)  # contradicts what was read, and the listener has it read again
    world.release(hold)

    assert write.error is None
    world.ping()
    world.check_now()


def test_a_change_back_while_we_write_raises_a_doubt(world: Acts) -> None:
    """Another client repeats the old ``null`` right after our PUT was stored: ``null`` is true."""
    world.elsewhere(NULL)
    world.refresh()
    world.sync(initial=True)
    hold = world.hold("PUT", "answer")
    world.set(world.stage.urls[1])
    world.elsewhere(NULL)
    world.sync()
    world.release(hold)

    world.ping()
    world.check_now()


def test_a_change_from_before_the_first_read_does_not_undo_it(world: Acts) -> None:
    """The first thing known is a ``null`` that was read; a late sync names an older server."""
    world.bot.next_batch = "s1"
    _chooses(world, 0)
    hold = world.hold("sync", "answer")
    world.sync()
    world.elsewhere(NULL)
    world.resolve()
    world.pause()
    world.release(hold)

    world.ping()
    world.check_now()


def test_a_read_that_was_overtaken_by_an_older_change_is_not_dropped(world: Acts) -> None:
    """A read says ``null``; a change that arrived during it, but is older, must not win."""
    world.bot.next_batch = "s1"
    _chooses(world, 1)
    world.sync()
    _chooses(world, 0)
    late_sync = world.hold("sync", "answer")
    world.sync()
    world.elsewhere(NULL)
    slow_read = world.hold("GET", "answer")
    world.refresh()
    world.release(late_sync)
    world.release(slow_read)

    world.ping()
    world.check_now()


def test_a_late_echo_does_not_end_the_doubt_after_a_write_with_an_unknown_end(
    world: Acts,
) -> None:
    """The echo of our former write was formed before the ``null`` whose end is not known."""
    world.refresh()
    world.sync(initial=True)
    world.set(world.stage.urls[1])
    late_echo = world.hold("sync", "answer")
    world.sync()
    world.trouble("PUT", "lose", 2)  # aiohttp sends a lost PUT once more
    world.disable()
    world.release(late_echo)

    world.ping()
    world.check_now()


def test_after_an_unknown_end_an_old_change_does_not_stand_unread(world: Acts) -> None:
    """A change formed before our write is no answer to whether that was stored."""
    world.bot.next_batch = "s1"
    _chooses(world, 0)
    world.sync()
    _chooses(world, 1)
    late_sync = world.hold("sync", "answer")
    world.sync()
    world.hold("PUT", "answer")
    world.cancel(world.disable())
    world.trouble("GET", "500", 9)
    world.release(late_sync)

    world.ping()
    world.check_now()


def test_nobody_is_told_of_the_write_of_a_user_who_has_left(world: Acts) -> None:
    """A PUT is answered after another user was assigned to the client."""
    _chooses(world, 0)
    world.refresh()
    hold = world.hold("PUT", "answer")
    world.disable()
    world.switch(1, notice=False)
    world.release(hold)

    assert not world.changes


def test_a_refusal_of_a_write_that_was_sent_twice_is_not_believed(world: Acts) -> None:
    """A PUT whose answer was lost is sent again by aiohttp; only the second was refused."""
    _chooses(world, 0)
    world.refresh()
    world.sync(initial=True)
    world.trouble("PUT", "lose")
    world.trouble("PUT", "403")
    world.disable()

    called = world.ping()

    assert isinstance(called.error, IdentityDisabled)


def test_close_ends_the_read_for_a_user_who_has_left(world: Acts) -> None:
    """It would go on after ``close()``, and open a new session of nio's."""
    world.trouble("GET", "429")
    world.cancel(world.refresh())
    world.switch(1)

    world.finish()


def test_a_snapshot_of_our_write_does_not_hide_the_change_after_it(world: Acts) -> None:
    """While our PUT is under way ``null`` is seen, and a replayed response repeats what we write.

    The response may be as old as the write: ``null``, which no sync will tell again, is true.
    """
    hold = world.hold("PUT", "answer")
    world.set(world.stage.urls[0])
    world.sync(initial=True)
    world.elsewhere(NULL)
    world.sync()
    world.inject({"base_url": world.stage.urls[0]}, token="s1", deep=False)
    world.release(hold)

    assert isinstance(world.ping().error, IdentityDisabled)
    world.check_now()
