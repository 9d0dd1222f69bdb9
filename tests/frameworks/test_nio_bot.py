"""nio-bot: a subclass with the mixin in front."""

from __future__ import annotations

from tests.frameworks.promises import Promises, needs


@needs("nio-bot")
class TestNioBot(Promises):
    """What was asked while it was away reaches it with its first sync."""

    framework = "nio-bot"
    command = ("nio_bot.py",)
    listens_from = 1
