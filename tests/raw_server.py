"""A server on loopback that says exactly what a test wants, byte by byte.

It knows next to nothing of HTTP, so it can break every rule of it; it shares no code with the
package, nor with the embedded servers.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import re
import socket
import ssl
import struct
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import attrs
import trustme

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class End(enum.Enum):
    """What a server does when it has nothing more to say."""

    CLOSE = "close the connection"
    RESET = "reset it"
    STALL = "keep it open, and say nothing, until the client goes away"


@attrs.frozen
class Repeat:
    """The same bytes again and again.

    Attributes:
        piece: The bytes.
        interval: Seconds between two pieces.
        times: How often; None until the client goes away.
    """

    piece: bytes
    interval: float = 0.0
    times: int | None = None


Step = bytes | Repeat | End
Script = Iterable[Step]


def answer(
    body: bytes = b"{}", status: str = "200 OK", *headers: str, length: int | None = None
) -> bytes:
    """A proper HTTP/1.1 answer.

    Args:
        body: The body.
        status: The status code and its reason.
        headers: More header lines.
        length: What ``Content-Length`` says, if not the truth.
    """
    size = len(body) if length is None else length
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class RawServer:
    """Plays one script for each request: all but the last script once, the last one from then on.

    A request is what HTTP/1.1 with ``Content-Length`` says it is. Without a script the connection
    is accepted, and nothing is read or said.

    Attributes:
        requests: The requests, each with its headers and its body.
        received: Every byte that arrived, after TLS.
        connections: How many connections there were, after the TLS handshake.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.received = bytearray()
        self.connections = 0
        self.plays(*scripts)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self._news = asyncio.Event()
        self._port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self._tls, limit=2**20
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return self._port

    @property
    def url(self) -> str:
        """The URL of its root, without a slash at the end; with TLS by the name ``localhost``."""
        return f"https://localhost:{self._port}" if self._tls else f"http://127.0.0.1:{self._port}"

    @property
    def open_connections(self) -> int:
        """How many connections are still open."""
        return len(self._tasks)

    async def asked(self, count: int = 1) -> None:
        """Wait until so many requests have arrived (5 s at most)."""
        async with asyncio.timeout(5):
            while len(self.requests) < count:
                self._news.clear()
                await self._news.wait()

    async def left(self) -> None:
        """Wait until every client has closed its connection (5 s at most)."""
        async with asyncio.timeout(5):
            while self._tasks:
                self._gone.clear()
                await self._gone.wait()

    def plays(self, *scripts: Script) -> None:
        """Play these scripts from now on."""
        self._scripts = [tuple(script) for script in scripts]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._gone.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            goes_on = True
            while goes_on and await self._read_request(reader):
                goes_on = await self._play(self._next_script(), reader, writer)
        except OSError:
            pass  # the client went away first
        finally:
            writer.transport.abort() if self._tls else writer.close()

    def _next_script(self) -> tuple[Step, ...]:
        if len(self._scripts) > 1:
            return self._scripts.pop(0)
        return self._scripts[0] if self._scripts else (End.STALL,)

    async def _read_request(self, reader: asyncio.StreamReader) -> bool:
        """Read one request; False if the client has gone away instead."""
        request = bytearray()
        wanted = 1
        while len(request) < wanted:
            data = await reader.read(2**16)
            if not data:
                return False
            request += data
            self.received += data
            head, end, _ = request.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            wanted = len(head) + len(end) + size if end else len(request) + 1
        self.requests.append(bytes(request))
        self._news.set()
        return True

    async def _play(
        self, script: tuple[Step, ...], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        for step in script:
            match step:
                case bytes():
                    await self._say(step, writer)
                case Repeat():
                    await self._repeat(step, writer)
                case End.STALL:
                    self.received += await reader.read()
                    return False
                case End.RESET:
                    _reset(writer)
                    return False
                case End.CLOSE:
                    return False
        return True

    async def _repeat(self, step: Repeat, writer: asyncio.StreamWriter) -> None:
        done = 0
        while step.times is None or done < step.times:
            await self._say(step.piece, writer)
            await asyncio.sleep(step.interval)
            done += 1

    async def _say(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        if writer.is_closing():
            raise ConnectionResetError
        writer.write(piece)
        await writer.drain()


def linger_not(writer: asyncio.StreamWriter) -> None:
    """Have a connection end with RST when it is closed: it lingers for no time at all."""
    raw = cast("socket.socket", writer.get_extra_info("socket"))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset(writer: asyncio.StreamWriter) -> None:
    linger_not(writer)
    writer.transport.abort()


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Certificates:
    """An authority that nobody else trusts, and what it certifies."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    @property
    def client(self) -> ssl.SSLContext:
        """A client's side of TLS that trusts this authority, and verifies."""
        context = ssl.create_default_context()
        self.trust(context)
        return context

    def trust(self, context: ssl.SSLContext) -> None:
        """Have a client's side of TLS trust this authority too."""
        self._authority.configure_trust(context)

    def write(self, path: Path) -> Path:
        """Write the authority's certificate into a file."""
        self._authority.cert_pem.write_to_path(str(path))
        return path

    def server(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """A server's side of TLS, for these names and addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        until = yesterday if expired else None
        self._authority.issue_cert(*names, not_after=until).configure_cert(context)
        return context
