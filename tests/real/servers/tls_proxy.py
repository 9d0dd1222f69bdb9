"""TLS in front of a server that speaks plain HTTP only."""

from __future__ import annotations

import asyncio
import contextlib

from tests.real.servers.process import HOST

_CHUNK = 65536


class TlsProxy:
    """Hands what arrives to a port, and back; when nobody listens there, it hangs up."""

    def __init__(self, port: int) -> None:
        """Pass everything to ``port``."""
        self._port = port

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, until either side has had enough."""
        with contextlib.closing(writer), contextlib.suppress(OSError):
            inner_reader, inner_writer = await asyncio.open_connection(HOST, self._port)
            with contextlib.closing(inner_writer):
                directions = {
                    asyncio.create_task(_pass_on(reader, inner_writer)),
                    asyncio.create_task(_pass_on(inner_reader, writer)),
                }
                # HTTP needs no half-open connections: the end of one direction ends both.
                try:
                    await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for each in directions:
                        each.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
