"""simplematrixbotlib: its client is enabled between the login and the first sync."""

from __future__ import annotations

from tests.frameworks.promises import Promises, needs


@needs("simplematrixbotlib")
class TestSimpleMatrixBotLib(Promises):
    """It listens to rooms only after its first sync."""

    framework = "simplematrixbotlib"
    command = ("simplematrixbotlib_bot.py",)
    listens_from = 2
