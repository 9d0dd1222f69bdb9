"""A wire into a server that writes down what passes, and can be held."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from types import TracebackType
from typing import Self

from nio_identity_server.testing.signals import Signal

HOST = "127.0.0.1"
SECONDS = 20.0

_CHUNK = 65_536
# No client here pipelines, so a request line begins a piece of what is read.
_REQUEST_LINE = re.compile(rb"([A-Z]+) (/[^ ?]*)[^ ]* HTTP/1\.1\r\n")


class Hold:
    """Requests, or the answers to them, that wait until they are let go."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._news = Signal()
        self._held = 0
        self._let_go = 0
        self._is_over = False

    async def reached(self, count: int = 1) -> None:
        """Wait until so many have been held, those that were let go included."""
        await self._news.until(lambda: self._held >= count, SECONDS, f"{count} {self._path}")

    def let_go(self) -> None:
        """Let one go: the first that has not been."""
        self._let_go += 1
        self._news.ring()

    def release(self) -> None:
        """Let go of all, and hold nothing any more."""
        self._is_over = True
        self._news.ring()

    async def keep(self, request: str) -> None:
        """Wait here, if this request is meant."""
        if not self._is_over and self._path in request:
            self._held += 1
            number = self._held
            self._news.ring()
            await self._news.until(lambda: self._is_over or number <= self._let_go)


class Wiretap:
    """Listens on loopback and hands on every byte, both ways, as it is.

    What the server behind it does to a connection, it does as well, resets and silence included.

    Args:
        port: Where the server behind listens.
        outside: The TLS that is shown to clients; None for plain HTTP.
        inside: The TLS towards the server; None for plain HTTP.
    """

    def __init__(
        self,
        port: int | None,
        *,
        outside: ssl.SSLContext | None = None,
        inside: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[str] = []
        self.received = bytearray()
        self.connections = 0
        self.url = ""
        self._port = port
        self._outside = outside
        self._inside = inside
        self._holds: list[Hold] = []
        self._answer_holds: list[Hold] = []
        self._news = Signal()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, HOST, 0, ssl=self._outside)
        port = self._listener.sockets[0].getsockname()[1]
        self.url = f"https://localhost:{port}" if self._outside else f"http://{HOST}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def hold(self, path: str) -> Hold:
        """Hold the requests whose line, as in ``requests``, contains this."""
        hold = Hold(path)
        self._holds.append(hold)
        return hold

    def hold_answers(self, path: str) -> Hold:
        """Hold the answers to such requests, also to those that have been passed on already."""
        hold = Hold(path)
        self._answer_holds.append(hold)
        return hold

    def seen(self, path: str) -> int:
        """Count the requests whose line contains this."""
        return sum(path in request for request in self.requests)

    def clear(self) -> None:
        """Forget the requests; what was received stays on record."""
        self.requests.clear()

    async def wait_for(self, path: str, count: int = 1) -> None:
        """Wait until so many requests with this in their line have arrived."""
        await self._news.until(lambda: self.seen(path) >= count, SECONDS, f"{count} {path}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        try:
            await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
            self._serving.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = "localhost" if self._inside else None
        inner_reader, inner_writer = await asyncio.open_connection(
            HOST, self._port, ssl=self._inside, server_hostname=name
        )
        unanswered: list[str] = []
        directions = {
            asyncio.create_task(self._ask(reader, inner_writer, unanswered)),
            asyncio.create_task(self._answer(inner_reader, writer, unanswered)),
        }
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            inner_writer.transport.abort()
            for each in directions:
                each.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, unanswered: list[str]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                self.received += data
                for method, path in _REQUEST_LINE.findall(data):
                    request = f"{method.decode()} {path.decode()}"
                    self.requests.append(request)
                    self._news.ring()
                    for hold in self._holds:
                        await hold.keep(request)
                    unanswered.append(request)
                writer.write(data)
                await writer.drain()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, unanswered: list[str]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                while unanswered:
                    request = unanswered.pop(0)
                    for hold in self._answer_holds:
                        await hold.keep(request)
                writer.write(data)
                await writer.drain()
