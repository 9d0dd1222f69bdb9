"""TCP connections, as a server for tests sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import attrs
from aiohttp import web


@attrs.define
class Connections:
    """The open connections of a server, and whom to tell about them.

    Attributes:
        accepted: Called for each new connection; answers its number.
        received: Called with all bytes that come in, after TLS.
        open: Those that are open now.
        serving: The tasks that serve them, which may outlive them by a turn of the loop.
    """

    accepted: Callable[[], int]
    received: Callable[[bytes], None]
    open: set[Connection] = attrs.field(factory=set)
    serving: set[asyncio.Task[Any] | None] = attrs.field(factory=set)

    async def abort(self) -> None:
        """Break all connections, and wait until nothing is left of them."""
        serving = [task for task in self.serving if task is not None]
        ended = [connection.ended for connection in self.open]
        for connection in tuple(self.open):
            # Not aiohttp's own shutdown: with a timeout of zero it waits for ever.
            connection.wire.abort()
        await asyncio.gather(*ended, *serving, return_exceptions=True)


class Connection(web.RequestHandler):
    """One connection: aiohttp's protocol, which also tells what the socket brought.

    Attributes:
        number: Its number, as it was accepted.
        wire: Its transport; aiohttp forgets its own as soon as it starts to close it.
        ended: Done when the connection is closed.
    """

    __slots__ = ("_connections", "ended", "number", "wire")

    def __init__(self, manager: web.Server, connections: Connections) -> None:
        loop = asyncio.get_running_loop()
        # Both imitated servers close an idle connection after a minute.
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # aiohttp tests it for truth
            auto_decompress=False,
            keepalive_timeout=60.0,
        )
        self.ended = loop.create_future()
        self.number = connections.accepted()
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the open connections; one whose TLS handshake fails never gets here."""
        self.wire = cast("asyncio.Transport", transport)
        self._connections.open.add(self)
        super().connection_made(transport)

    async def start(self) -> None:
        """Serve the requests of this connection, in a task that can be waited for."""
        task = asyncio.current_task()
        self._connections.serving.add(task)
        try:
            await super().start()
        finally:
            self._connections.serving.discard(task)

    def data_received(self, data: bytes) -> None:
        """Tell of the bytes, then parse them."""
        self._connections.received(data)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave the open connections; aiohttp cancels the handler."""
        super().connection_lost(exc)
        self._connections.open.discard(self)
        self.ended.set_result(None)
