"""A server that costs next to nothing, in a process and on a processor of its own.

The embedded ones answer from the event loop that is measured, and would be most of what one
measures. This one knows no HTTP beyond ``Content-Length``. As an identity server it answers a
lookup by cutting every hundredth hash out of the request; as a homeserver it takes the user's ID
for the access token, and nothing ever happens there.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_TOKEN = re.compile(rb"\r\nauthorization: *bearer +([^\r]+)", re.IGNORECASE)
_WIDTH = 43  # of a hash; `","` stands between two of them
_EVERY = 100  # the first of a request among them

PEPPER = "pepperof20characters"


class _Connection(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, user_id: str) -> None:
        details = {"algorithms": ["sha256"], "lookup_pepper": PEPPER}
        self._answers = {
            b"account": _answer({"user_id": user_id}),
            b"hash_details": _answer(details),
            b"register": _answer({"token": "bench"}),
            b"terms": _answer({"policies": {}}),
            b"sync": _answer({"next_batch": "s1"}),
            b"m.identity_server": _answer({"errcode": "M_NOT_FOUND"}, "404 Not Found"),
        }
        self._received = bytearray()
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._received += data
        if not self._wanted:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._received, 0, end)
            self._wanted = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) == self._wanted:
            request, self._received, self._wanted = bytes(self._received), bytearray(), 0
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(self._reply(request))

    def _reply(self, request: bytes) -> bytes:
        name = request.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2]
        if token := name == b"whoami" and _TOKEN.search(request):
            return _answer({"user_id": token[1].decode()})
        return self._answers.get(name) or _found(request)


def _found(request: bytes) -> bytes:
    first = request.index(b'["') + 2
    last = request.index(b'"]', first)
    places = range(first, last, (_WIDTH + 3) * _EVERY)
    hashes = [request[place : place + _WIDTH].decode() for place in places]
    return _answer({"mappings": {each: f"@{each[:8]}:example.org" for each in hashes}})


def found_of(addresses: int) -> int:
    """Count the matches in the answer to one request for so many addresses."""
    return len(range(0, addresses, _EVERY))


def _answer(content: object, status: str = "200 OK") -> bytes:
    body = json.dumps(content, separators=(",", ":")).encode()
    head = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


async def _serve(user_id: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(user_id), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running(user_id: str) -> Iterator[str]:
    """Start the server on the last processor, keep this process to the others; gives its URL."""
    ours = os.sched_getaffinity(0)
    *rest, last = sorted(ours)
    command = [sys.executable, "-m", "tests.bench.bare_server", user_id]
    os.sched_setaffinity(0, {last})  # the child inherits it
    server = subprocess.Popen(  # noqa: S603 - this very module
        command, stdout=subprocess.PIPE, text=True
    )
    os.sched_setaffinity(0, rest or ours)
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        os.sched_setaffinity(0, ours)
        server.terminate()
        server.communicate()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
