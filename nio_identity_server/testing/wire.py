"""Answers on the wire, whole and broken."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web

from nio_identity_server.testing.connection import Connection
from nio_identity_server.testing.faults import Ending
from nio_identity_server.testing.replies import Reply

Pause = Callable[[], Awaitable[None]]


async def send(
    source: web.BaseRequest, reply: Reply, ending: Ending, midway: Pause
) -> web.StreamResponse:
    """Send an answer in the way that was asked for.

    Args:
        source: The request that is answered.
        reply: What to send; not looked at when the ending sends nothing.
        ending: How much of it, and what becomes of the connection.
        midway: Awaited when half of the body has been sent.
    """
    wire = cast("Connection", source.protocol).wire
    if ending in (Ending.CLOSED, Ending.RESET):
        return hang_up(wire, reset=ending is Ending.RESET)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    # Without a length nobody could tell that a body was cut.
    if reply.chunked and ending is not Ending.CUT:
        response.enable_chunked_encoding()
    elif "Content-Length" not in response.headers:
        response.content_length = len(reply.body)
    body = b"" if source.method == "HEAD" else reply.body
    half = len(body) // 2
    await response.prepare(source)
    await response.write(body[:half])
    await midway()
    if ending is Ending.CUT:
        return hang_up(wire, response)
    await response.write(body[half:])
    await response.write_eof()
    return response


def hang_up(
    wire: asyncio.Transport, response: web.StreamResponse | None = None, *, reset: bool = False
) -> web.StreamResponse:
    """Close the connection; what was written before still goes out, unless it is reset.

    aiohttp wants a response all the same. It finds the connection closed when it writes it, and
    takes that for a client that left.
    """
    if reset:
        # Linger for no time at all: the kernel throws the connection away and says so (RST).
        linger = struct.pack("ii", 1, 0)
        wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        wire.abort()
    else:
        wire.close()
    return response or web.Response()
