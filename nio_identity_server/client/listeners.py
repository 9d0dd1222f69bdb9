"""Whom to tell when the user's choice changes."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable

import attrs

from nio_identity_server.client.change import Change

Listener = Callable[[Change], Awaitable[object] | object]

_log = logging.getLogger("nio_identity_server")


@attrs.define(eq=False)
class Listeners:
    """Runs each listener as a task of its own, so that it may make calls and even write."""

    _listeners: dict[object, Listener] = attrs.field(factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set, init=False)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Tell this listener from now on; what is returned ends that."""
        key = object()
        self._listeners[key] = listener

        def end() -> None:
            self._listeners.pop(key, None)

        return end

    def tell(self, change: Change) -> None:
        """Tell everybody of a change, soon."""
        loop = asyncio.get_running_loop()
        for listener in tuple(self._listeners.values()):
            task = loop.create_task(_run(listener, change))
            self._tasks.add(task)  # the loop itself keeps only weak references to tasks
            task.add_done_callback(self._tasks.discard)


async def _run(listener: Listener, change: Change) -> None:
    try:
        result = listener(change)
        if inspect.isawaitable(result):
            await result
    except Exception:  # noqa: BLE001 - it is the application's, and is logged whole
        _log.exception("a listener of identity-server changes failed")
