"""Faults before a request is sent: at the name, the connection, and TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache

from tests.proof.fault_matrix.answering import AnsweringServer
from tests.proof.fault_matrix.faults import Family, Fault, Limit, Opened, Place
from tests.raw_server import Certificates, answer, free_port, linger_not

NOWHERE = "nowhere.example.org"
"""A name that the tests' resolver does not know."""


@asynccontextmanager
async def _refused(_: Certificates) -> AsyncIterator[Place]:
    yield Place(f"http://127.0.0.1:{free_port()}")


@asynccontextmanager
async def _nowhere(_: Certificates) -> AsyncIterator[Place]:
    yield Place(f"https://{NOWHERE}")


@asynccontextmanager
async def _black_hole(_: Certificates) -> AsyncIterator[Place]:
    """A port at which connections are neither accepted nor refused: its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)  # noqa: FBT003 -- the socket's own signature
            filler.connect_ex(listener.getsockname())
        yield Place(f"http://127.0.0.1:{listener.getsockname()[1]}")


@asynccontextmanager
async def _at(context: ssl.SSLContext) -> AsyncIterator[Place]:
    async with AnsweringServer(context) as server:
        yield Place(server.url, server)


@cache  # to make keys takes time
def _of_a_stranger() -> ssl.SSLContext:
    return Certificates().server("localhost")


@cache
def _of_another_name(certificates: Certificates) -> ssl.SSLContext:
    return certificates.server("id.example.org")


@cache
def _expired(certificates: Certificates) -> ssl.SSLContext:
    return certificates.server("localhost", expired=True)


@cache
def _old(certificates: Certificates) -> ssl.SSLContext:
    context = certificates.server("localhost")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _says(words: bytes | None, *, reset: bool = False) -> Callable[[Certificates], Opened]:
    """Something that answers a TLS handshake with these bytes and hangs up; None: with nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if words is None:
            await reader.read()
        else:
            writer.write(words)
            if reset:
                linger_not(writer)
        writer.close()

    @asynccontextmanager
    async def place(_: Certificates) -> AsyncIterator[Place]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            yield Place(f"https://localhost:{server.sockets[0].getsockname()[1]}")

    return place


CONNECTING = (
    Fault("no such name", Family.UNREACHABLE, place=_nowhere),
    Fault("refused", Family.UNREACHABLE, place=_refused),
    Fault("black hole", Family.UNREACHABLE, place=_black_hole, limit=Limit.CONNECT),
    Fault("untrusted CA", Family.UNREACHABLE, place=lambda _: _at(_of_a_stranger())),
    Fault("wrong host", Family.UNREACHABLE, place=lambda it: _at(_of_another_name(it))),
    Fault("expired", Family.UNREACHABLE, place=lambda it: _at(_expired(it))),
    Fault("TLS 1.1", Family.UNREACHABLE, place=lambda it: _at(_old(it))),
    Fault("TLS: plain HTTP", Family.UNREACHABLE, place=_says(answer())),
    Fault("TLS: garbage", Family.UNREACHABLE, place=_says(b"\x16\x03\x03\xff\xff" * 999)),
    Fault("TLS: alert", Family.UNREACHABLE, place=_says(b"\x15\x03\x03\x00\x02\x02\x28")),
    Fault("TLS: closed", Family.UNREACHABLE, place=_says(b"")),
    Fault("TLS: reset", Family.UNREACHABLE, place=_says(b"", reset=True)),
    Fault("TLS: stall", Family.UNREACHABLE, place=_says(None), limit=Limit.CONNECT),
)
