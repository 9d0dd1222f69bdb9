"""The time of the machine: it stands still until it is advanced."""

from __future__ import annotations

import asyncio


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until somebody advances it.

    So nothing waits, and the same acts have the same consequences on a busy machine.

    Attributes:
        now: The time.
    """

    now = 1_000_000.0
    _scheduled: list[asyncio.TimerHandle]

    def time(self) -> float:
        """The time that timers go by."""
        return self.now

    def advance(self, until: float) -> bool:
        """Go to the next timer; False if there is none by then."""
        due = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        if not due or min(due) > until:
            return False
        self.now = max(self.now, min(due))
        return True
