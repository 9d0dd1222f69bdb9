"""nio-bot: a subclass with the mixin in front."""

from __future__ import annotations

from pathlib import Path

from tests.frameworks.place import Place
from tests.frameworks.promises import Promises, needs


@needs("nio-bot")
class TestNioBot(Promises):
    """What was asked while it was away reaches it with its first sync."""

    framework = "nio-bot"
    command = ("nio_bot.py",)
    listens_from = 1

    async def test_a_call_inside_a_replayed_sync(self, place: Place) -> None:
        """A call inside a callback of a stored sync sees to the choice itself.

        nio-bot replays what it has stored at its next start, before it syncs.
        """
        program = str(Path(__file__).with_name("nio_bot_replay.py"))
        place.other_client_sets(place.a.url)
        place.ask()
        async with place.running(self.framework, program):
            assert await place.answer(1) == "@carol-of-a:example.test"
            await place.heard(3)

        place.homeserver.clear()
        place.other_client_sets(place.b.url)
        place.homeserver.hold("GET", "/sync")
        async with place.running(self.framework, program):
            assert await place.answer(1) == "@carol-of-b:example.test"
        paths = [request.path for request in place.homeserver.requests]
        answered = next(number for number, path in enumerate(paths) if "/send/" in path)
        assert not any(path.endswith("/sync") for path in paths[:answered])
