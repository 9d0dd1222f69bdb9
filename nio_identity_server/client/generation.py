"""The time during which one user keeps one server: every operation belongs to one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import attrs

from nio_identity_server.base_url import BaseUrl
from nio_identity_server.client.change import Dropped
from nio_identity_server.errors import IdentityServerChanged, IdentityServerError
from nio_identity_server.preference.resolution import Resolution

Result = TypeVar("Result")

if TYPE_CHECKING:
    from nio_identity_server.flows.session import Session
    from nio_identity_server.pending_validation import PendingValidation
    from nio_identity_server.threepid import ThreePid


@attrs.define(eq=False)
class Generation:
    """One server of one user, from when it was learned until it changes.

    Attributes:
        base_url: The server.
        resolution: How it came to be this one.
        session: Being known to the server, once that was needed.
        validations: What was begun to show that an address is the user's, by address.
        ended: Why it is over, or None while it lasts.
    """

    base_url: BaseUrl
    resolution: Resolution
    session: Session | None = None
    validations: dict[ThreePid, PendingValidation] = attrs.field(factory=dict, repr=False)
    ended: str | None = None
    _running: dict[asyncio.Timeout, asyncio.AbstractEventLoop] = attrs.field(
        factory=dict, init=False, repr=False
    )

    async def run(self, work: Awaitable[Result]) -> Result:
        """Await something that must not outlive the generation.

        Raises:
            IdentityServerChanged: As soon as the generation ends, also when the work has just
                succeeded: its result belongs to a server that is no longer the user's.
        """
        if self.ended is not None:
            if isinstance(work, Coroutine):
                work.close()  # never awaited: nothing is sent
            raise self.changed()
        scope = asyncio.timeout(None)
        self._running[scope] = asyncio.get_running_loop()
        try:
            async with scope:
                result = await work
        except (TimeoutError, IdentityServerError):
            if self.ended is None:
                raise
        else:
            if self.ended is None:
                return result
        finally:
            self._running.pop(scope, None)
        raise self.changed()

    def end(self, reason: str) -> Dropped:
        """Stop everything that runs in it; nothing more is sent for it."""
        self.ended = reason
        running, self._running = self._running, {}
        for scope, loop in running.items():
            with suppress(RuntimeError):  # its loop is closed: nothing runs there
                loop.call_soon(_expire, scope)
        used = self.session is not None
        return Dropped(self.base_url, len(running), used, tuple(self.validations))

    def changed(self) -> IdentityServerChanged:
        """The exception that operations of an ended generation end with."""
        return IdentityServerChanged(str(self.base_url), self.ended or "it ended")


def _expire(scope: asyncio.Timeout) -> None:
    """Cancel what runs in a scope: asyncio.timeout gets every corner of that right."""
    with suppress(RuntimeError):  # it has just ended by itself
        scope.reschedule(0)
