"""The servers of the soak, in a process of their own: ``python -m tests.soak.servers``.

So what they keep is not counted as the client's. It reads one JSON line, ``{"clients": 50,
"faults": 0.05}``, answers with a line that says where everything is, and ends when its standard
input does, with a line that says what was seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import attrs

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer, Request
from nio_identity_server.testing.faults import Fault

ADDRESS = "carol@example.org"
LONGEST_JOURNAL = 1_000

_SCRIPTS: dict[str, Callable[[Any], None]] = {
    "500": lambda server: server.reject_next(500, "M_UNKNOWN"),
    "502 with a page": lambda server: server.answer_next(
        502, b"<html>Bad Gateway", content_type="text/html"
    ),
    "401": lambda server: server.reject_next(401, "M_UNAUTHORIZED"),
    "429": lambda server: server.reject_next(429, "M_LIMIT_EXCEEDED", retry_after_ms=1),
    "old pepper": lambda server: server.reject_next(400, "M_INVALID_PEPPER"),
    "closed": lambda server: server.drop_next(),
    "reset": lambda server: server.reset_next(),
    "lost": lambda server: server.lose_next(),
    "cut": lambda server: server.cut_next(),
    "no JSON": lambda server: server.answer_next(200, b"\xff\0garbage"),
    "wrong form": lambda server: server.answer_next(200, b"[]"),
}
# What nio itself would repeat or not survive is left out: it is not what is looked at.
_OF_HOMESERVERS = ("500", "502 with a page", "closed", "cut", "no JSON")


@attrs.define(eq=False)
class Trouble:
    """Strikes one request in twenty, or as many as it is told, with whatever.

    Attributes:
        share: Of all requests.
        names: What may strike.
        struck: How often each did.
    """

    share: float
    names: tuple[str, ...]
    struck: Counter[str] = attrs.field(factory=Counter)
    seen: int = 0
    _random: random.Random = attrs.field(factory=lambda: random.Random(2230))  # noqa: S311

    def visit(self, server: Any) -> None:
        """Let one request arrive at a server."""
        self.seen += 1
        if len(server.requests) > LONGEST_JOURNAL:
            server.clear()
        if self._random.random() < self.share:
            name = self._random.choice(self.names)
            self.struck[name] += 1
            _SCRIPTS[name](server)


class Homeserver(MatrixHomeserver):
    """One with trouble."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble

    def _take_fault(self, request: Request) -> Fault | None:
        self.trouble.visit(self)
        return super()._take_fault(request)


class IdentityServer(MatrixIdentityServer):
    """One with trouble, that remembers the tokens of others."""

    def __init__(self, homeserver: Homeserver, trouble: Trouble) -> None:
        super().__init__(homeserver)
        self.trouble = trouble
        self.strangers = 0

    def clear(self) -> None:
        """Forget what was seen, but not that a token of somebody else came."""
        self.strangers += len(self.foreign_tokens)
        super().clear()

    def _take_fault(self, request: Request) -> Fault | None:
        self.trouble.visit(self)
        return super()._take_fault(request)


async def _serve(order: dict[str, Any], until: asyncio.StreamReader) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        trouble = Trouble(order["faults"], tuple(_SCRIPTS))
        of_homeserver = Trouble(order["faults"], _OF_HOMESERVERS)
        homeserver = await stack.enter_async_context(Homeserver(of_homeserver))
        servers = [
            await stack.enter_async_context(IdentityServer(homeserver, trouble)) for _ in "abc"
        ]
        for letter, server in zip("abc", servers, strict=True):
            server.bind("email", ADDRESS, f"@carol{letter}:example.org")
        accounts = [homeserver.register(f"user{number}") for number in range(order["clients"])]
        _say(
            homeserver=homeserver.url,
            carols={server.url: server.binding("email", ADDRESS) for server in servers},
            accounts=[[each.user_id, each.access_token] for each in accounts],
        )
        await until.read()
        for server in servers:
            server.clear()
        return {
            "requests": trouble.seen + of_homeserver.seen,
            "faults": trouble.struck.total() + of_homeserver.struck.total(),
            "kinds of faults": len(trouble.struck),
            "tokens of another server": sum(server.strangers for server in servers),
        }


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201  # the parent reads it


async def _main() -> None:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    _say(**await _serve(json.loads(await reader.readline()), reader))


if __name__ == "__main__":
    asyncio.run(_main())
