"""What holds with every framework."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest

from tests.environments import FRAMEWORKS
from tests.frameworks.place import CHOICE, PATIENCE, Place, lookups


def needs(framework: str) -> pytest.MarkDecorator:
    """Skip where the framework is not installed."""
    installed = FRAMEWORKS[framework].is_installed
    return pytest.mark.skipif(not installed, reason=f'"make frameworks" installs {framework}')


class Promises:
    """The tests; a subclass says how the bot of its framework is run.

    Attributes:
        framework: The name of the framework's package.
        command: What its Python is called with.
        listens_from: With which sync the bot begins to listen to its rooms; 1 if questions that
            were asked while it was away reach its callbacks inside the first sync.
    """

    framework: ClassVar[str]
    command: ClassVar[tuple[str, ...]]
    listens_from: ClassVar[int]

    async def prepare(self, place: Place) -> None:
        """Do what has to be done before the bot can run; nothing, with most."""

    @asynccontextmanager
    async def asked(self, place: Place) -> AsyncIterator[None]:
        """Run the bot, and ask it as soon as it can hear."""
        await self.prepare(place)
        if self.listens_from == 1:
            place.ask()
        async with place.running(self.framework, *self.command):
            if self.listens_from > 1:
                await place.heard(self.listens_from)
                place.ask()
            yield

    async def test_nothing_is_said_before_the_choice_was_read(self, place: Place) -> None:
        """A call inside a callback is held, and goes to the one server that was chosen.

        Later calls follow the user's other clients.
        """
        place.other_client_sets(place.a.url)
        reading = place.homeserver.hold("GET", CHOICE)
        async with self.asked(place):
            await reading.reached(timeout=PATIENCE)
            assert place.spoken_to == ""

            reading.release()
            assert await place.answer(1) == "@carol-of-a:example.test"
            assert place.spoken_to == "a"

            place.other_client_sets(place.b.url)
            place.ask()
            assert await place.answer(2) == "@carol-of-b:example.test"

            place.other_client_sets(None)
            place.ask()
            assert "switched off" in await place.answer(3)
        assert (len(lookups(place.a)), len(lookups(place.b))) == (1, 1)
        assert place.homeserver.writes == []

    async def test_null_is_silence(self, place: Place) -> None:
        """The bot of a user who said null says so, and opens no connection."""
        place.other_client_sets(None)
        async with self.asked(place):
            assert "switched off" in await place.answer(1)
        assert place.spoken_to == ""

    async def test_the_default_is_not_written(self, place: Place) -> None:
        """The bot of a user who chose nothing asks its default, and leaves the choice open."""
        async with self.asked(place):
            assert await place.answer(1) == "@carol-of-b:example.test"
        assert place.spoken_to == "b"
        assert place.homeserver.writes == []
