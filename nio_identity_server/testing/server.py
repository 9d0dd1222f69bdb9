"""A real HTTP server on a loopback port, inside the running event loop."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Self, cast

import attrs
from aiohttp import web

from nio_identity_server.testing.connection import Connection, Connections
from nio_identity_server.testing.faults import Ending, Fault, Faults
from nio_identity_server.testing.holds import Hold, Holds, Stage
from nio_identity_server.testing.journal import Journal
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Routes, UnknownMethod, UnknownPath
from nio_identity_server.testing.wire import hang_up, send

_LISTEN = "127.0.0.1"


class LoopbackServer(Journal, Faults, Holds):
    """An HTTP server for tests: it records what arrives, and fails as it is told.

    It listens on 127.0.0.1 at a free port, or with TLS when it is given a context. Use it as
    `async with LoopbackServer() as server`, or `start()` and `stop()` it; started again, it listens
    at the same port as before. Nothing belongs to an event loop before `start()`.

    Args:
        host: The host name that `url` shows; the client's resolver must lead it to 127.0.0.1.
        port: The port; 0 for any that is free.
        ssl_context: The server's side of TLS; `None` for plain HTTP.
    """

    max_body: int | None = None
    """A request body of more bytes than this ends in a connection reset."""

    chunked = False
    """Whether true answers go out in chunks, without a length."""

    def __init__(
        self,
        *,
        host: str = _LISTEN,
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        for part in (Journal, Faults, Holds):
            part.__init__(self)
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._listener: asyncio.Server | None = None
        self._lines = Connections(self._accepted, self._received)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    @property
    def netloc(self) -> str:
        """The host and port that `url` shows.

        Raises:
            RuntimeError: It has not been started yet, so that the port is not known.
        """
        if not self._port:
            raise RuntimeError("The server has no port before it is started: use `async with`")
        return f"{self._host}:{self._port}"

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end.

        Raises:
            RuntimeError: It has not been started yet, so that the port is not known.
        """
        return f"{'https' if self._ssl_context else 'http'}://{self.netloc}"

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            RuntimeError: It listens already.
            OSError: The port is taken.
        """
        if self._listener is not None:
            raise RuntimeError("The server is running")
        manager = web.Server(self._exchange, handler_cancellation=True)
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(manager, self._lines), _LISTEN, self._port, ssl=self._ssl_context
        )
        self._port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop at once: held requests and long polls end unanswered, connections are closed."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.close()
        await self._lines.abort()

    async def answer(self, request: Request) -> Reply:
        """Answer a request that comes from inside this process as if it had come by TCP.

        It is recorded, held, and struck by faults like any other.

        Raises:
            ConnectionRefusedError: The server is not running.
            ConnectionResetError: A fault ended the exchange before a whole answer.
        """
        if not self.running:
            raise ConnectionRefusedError(f"{self._host} does not listen")
        self._arrived(request)
        fault, holds = self._take_fault(request), self._take_holds(request)
        for hold in holds:
            await hold.keep(request, "arrival")
        reply = await self._reply(request, fault)
        for hold in holds:
            await hold.keep(request, "answer")
            await hold.keep(request, "body")
        if fault is not None and fault.ending is not Ending.WHOLE:
            raise ConnectionResetError(f"{self._host} hung up")
        return reply

    async def _exchange(self, source: web.BaseRequest) -> web.StreamResponse:
        body = await self._read(source)
        connection = cast("Connection", source.protocol)
        request = Request.received(source, body, connection.number)
        self._arrived(request)
        if self.max_body is not None and len(body) > self.max_body:
            return hang_up(connection.wire, reset=True)
        fault, holds = self._take_fault(request), self._take_holds(request)
        try:
            return await self._answer(source, request, fault, holds)
        except asyncio.CancelledError:
            if self._listener is not None:
                self._gone(request)
            raise
        except ConnectionResetError:
            # The client left in the moment in which a hold was released.
            self._gone(request)
            return web.Response()

    async def _answer(
        self, source: web.BaseRequest, request: Request, fault: Fault | None, holds: list[Hold]
    ) -> web.StreamResponse:
        async def pause(stage: Stage) -> None:
            for hold in holds:
                await hold.keep(request, stage)

        await pause("arrival")
        reply = await self._reply(request, fault)
        await pause("answer")
        ending = Ending.WHOLE if fault is None else fault.ending
        return await send(source, reply, ending, lambda: pause("body"))

    async def _read(self, source: web.BaseRequest) -> bytes:
        body = bytearray()
        async for chunk in source.content.iter_any():
            body += chunk
            if self.max_body is not None and len(body) > self.max_body:
                break
        return bytes(body)

    async def _reply(self, request: Request, fault: Fault | None) -> Reply:
        if fault is not None and fault.reply is not None:
            return fault.reply
        if fault is not None and not fault.processed:
            return Reply()
        try:
            handler, call = self._routes().find(request)
            reply = await handler(call)
        except Refusal as refusal:
            reply = refusal.reply
        except UnknownMethod:
            reply = self._unknown_method(request)
        except UnknownPath:
            reply = self._unknown_path(request)
        return attrs.evolve(reply, chunked=True) if self.chunked else reply

    def _routes(self) -> Routes:
        return Routes(())

    def _unknown_path(self, request: Request) -> Reply:  # noqa: ARG002 -- subclasses look at it
        return Reply.of_html(404, "Not Found")

    def _unknown_method(self, request: Request) -> Reply:  # noqa: ARG002
        return Reply.of_html(405, "Method Not Allowed")
