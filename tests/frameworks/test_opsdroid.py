"""opsdroid: its client is enabled when it has connected, and its filter lets the choice through."""

from __future__ import annotations

from tests.frameworks.promises import Promises, needs


@needs("opsdroid")
class TestOpsdroid(Promises):
    """Its first sync belongs to connecting; a skill runs between one later sync and the next."""

    framework = "opsdroid"
    command = ("-m", "opsdroid", "start", "-f", "opsdroid_bot.yaml")
    listens_from = 2
