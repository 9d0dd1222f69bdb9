"""matrix-commander: a class of our own stands where it looks for nio's client."""

from __future__ import annotations

from tests.frameworks.place import ALICE, PASSWORD, ROOM, Place
from tests.frameworks.promises import Promises, needs


@needs("matrix-commander")
class TestMatrixCommander(Promises):
    """It logs in once; each later run takes up the login, its store and its credentials."""

    framework = "matrix-commander"
    command = ("matrix_commander_bot.py", "--listen", "forever")
    listens_from = 1

    async def prepare(self, place: Place) -> None:
        """Log in, which writes ``credentials.json`` and makes the store."""
        who = ("--user-login", ALICE, "--password", PASSWORD, "--device", "bot")
        where = ("--homeserver", place.homeserver.url, "--room-default", ROOM)
        await place.run(self.framework, self.command[0], "--login", "password", *who, *where)
        place.homeserver.clear()
