"""One public call, ended at each of its steps, and what has to hold after each."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import attrs

from nio_identity_server import IdentityServerError
from tests.bots import World
from tests.proof.cancellation.calls import Call, begin, state
from tests.proof.cancellation.client import started
from tests.proof.cancellation.ending import Ending

MOST_STEPS = 2000


@attrs.define
class Torture:
    """Ends one call at each of its steps.

    Attributes:
        it: The servers, and a client of the user that prepares the calls.
        call: The call.
        ending: How it is ended.
        known: Whether the client knows the choice and is known to the server before the call.
        complaints: What the event loop complained of.
    """

    it: World
    call: Call
    ending: Ending
    known: bool
    complaints: list[dict[str, Any]] = attrs.field(factory=list)

    async def run(self) -> int:
        """End it at every step; tell how often it was ended."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: self.complaints.append(told))
        allowed = await self._whole()
        for step in range(MOST_STEPS):
            try:
                was_over = await self._end_at(step, allowed)
            except Exception as error:
                error.add_note(f"at step {step}")
                raise
            if was_over:
                return step
        raise AssertionError("it never ends")

    async def _whole(self) -> list[object]:
        """The state before and after a call that nobody ends."""
        await self._begin()
        async with started(self.it, known=self.known) as client:
            mails, given = await self._prepare()
            before = state(self.it, mails)
            await self.call.make(self.it, client.server, given)
        return [before, state(self.it, mails)]

    async def _end_at(self, step: int, allowed: list[object]) -> bool:
        await self._begin()
        async with started(self.it, known=self.known) as client:
            mails, given = await self._prepare()

            async def work() -> None:
                with suppress(IdentityServerError):
                    await self.call.make(self.it, client.server, given)

            was_over = await self.ending.run(work, step)
            await client.rests()
            now = state(self.it, mails)
            assert self.call.halfway or now in allowed, f"{now} is neither of {allowed}"
            await client.goes_on()
        assert not self.complaints
        return was_over

    async def _begin(self) -> None:
        begin(self.it)
        await self.it.server.refresh()

    async def _prepare(self) -> tuple[int, Any]:
        """Make what the call needs; tell how many mails there were before the call."""
        given = await self.call.prepare(self.it)
        return len(self.it.a.mails), given
