"""The servers that all runs share, and the one order in which everything is seen to happen."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, Protocol, Self, TypeVar

import aiohttp
import attrs
import pytest
from yarl import URL

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer, Request
from nio_identity_server.testing.faults import Ending, Fault
from nio_identity_server.testing.replies import Reply

from .clock import Loop

EVENT = "m.identity_server"
ANSWER, OPERATION = "X-Answer", "X-Operation"
NOTHING = object()

_TURNS = 20_000
"""Turns of the loop after which everything that needs no clock must have happened."""

Result = TypeVar("Result")


@attrs.frozen
class Answer:
    """One answer of the homeserver.

    Attributes:
        at: Its place in the order in which answers were formed.
        claim: The content of the event that it shows, None-safe: ``NOTHING`` if it shows none.
        absent: Whether it says that there is no event.
    """

    at: int
    claim: Any = NOTHING
    absent: bool = False


class Audience(Protocol):
    """Who wants to know that a request to an identity server begins, or is put on the wire."""

    def begun(self, url: URL) -> None:
        """Somebody asks the HTTP library for this request."""

    def speaking(self, url: URL, headers: Any) -> None:
        """Its bytes leave now."""


class Homeserver(MatrixHomeserver):
    """Numbers its answers, and writes the number on each."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        self.answers: dict[int, Answer] = {}
        self.stored: Counter[str] = Counter()
        self.sent_by: Counter[str] = Counter()

    def _arrived(self, request: Request) -> None:
        self._stage.tick()
        if request.method == "PUT":
            self.sent_by[request.headers.get(OPERATION, "")] += 1
        super()._arrived(request)

    async def _reply(self, request: Request, fault: Fault | None) -> Reply:
        before = len(self.writes)
        reply = await super()._reply(request, fault)
        at = self._stage.tick()
        if len(self.writes) > before:
            self.stored[request.headers.get(OPERATION, "")] += 1
        if fault is None or fault.ending is Ending.WHOLE:
            self.answers[at] = _claim(at, request, reply)
        return attrs.evolve(reply, headers={**reply.headers, ANSWER: str(at)})


def _claim(at: int, request: Request, reply: Reply) -> Answer:
    try:
        body = json.loads(reply.body)
    except ValueError:
        return Answer(at)
    if request.path.endswith("/sync"):
        part = body.get("account_data", {}) if isinstance(body, dict) else {}
        found = [event for event in part.get("events", []) if event.get("type") == EVENT]
        return Answer(at, found[-1].get("content")) if found else Answer(at)
    if reply.status == 404 and isinstance(body, dict) and body.get("errcode") == "M_NOT_FOUND":
        return Answer(at, absent=True)
    return Answer(at, body) if reply.status == 200 else Answer(at)


class IdentityServer(MatrixIdentityServer):
    """Notes that something arrived."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.homeserver)
        self._stage = stage

    def _arrived(self, request: Request) -> None:
        self._stage.tick()
        super()._arrived(request)


class _Errors(logging.Handler):
    """Collects errors that were logged: hooks log theirs, because none may end a sync."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        """Note one."""
        self._found.append(f"logged: {record.getMessage()} {record.exc_text or record.exc_info}")


class Stage:
    """An event loop, a homeserver, three identity servers, and a watch on all HTTP of aiohttp.

    Attributes:
        audience: Who is told of requests to identity servers.
        complaints: What the event loop could not tell anybody else, and errors that were logged.
        verdicts: All that any world has ever been blamed for.
    """

    def __init__(self) -> None:
        self.loop = Loop()
        self.loop.set_exception_handler(self._complain)
        self.complaints: list[str] = []
        self.verdicts: list[str] = []
        self.audience: Audience | None = None
        self.homeserver = Homeserver(self)
        self.identity_servers = [IdentityServer(self) for _ in "ABC"]
        self.numbers = itertools.count(1)
        self.ssl_context = ssl.create_default_context()
        self._now = 0
        self._patch = pytest.MonkeyPatch()
        self._errors = _Errors(self.complaints)

    def __enter__(self) -> Self:
        self._patch.setattr(logging.getLogger("nio"), "level", logging.CRITICAL + 1)
        self._patch.setattr(logging.getLogger("nio_identity_server"), "propagate", False)
        logging.getLogger("nio_identity_server").addHandler(self._errors)
        for server in (self.homeserver, *self.identity_servers):
            self.run(server.start())
        for server in self.identity_servers:
            server.bind("email", "carol@example.org", self.carols[server.url])
        self._watch()
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("nio_identity_server").removeHandler(self._errors)
        self._patch.undo()
        for server in (self.homeserver, *self.identity_servers):
            self.run(server.stop())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    @property
    def urls(self) -> list[str]:
        """The base URLs of the three identity servers."""
        return [server.url for server in self.identity_servers]

    @property
    def carols(self) -> dict[str, str]:
        """By server, to whom it says that one address is bound."""
        return {
            url: f"@carol{letter}:example.org" for letter, url in zip("abc", self.urls, strict=True)
        }

    @property
    def now(self) -> int:
        """The place of the latest happening."""
        return self._now

    def has_blamed(self, pattern: str) -> bool:
        """Whether any world was ever blamed for something like this."""
        return any(re.search(pattern, verdict) for verdict in self.verdicts)

    def tick(self) -> int:
        """Count one happening; gives its place."""
        self._now += 1
        return self._now

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run the loop until something is done that needs no clock."""
        return self.loop.run_until_complete(work)

    def run_long(self, work: Coroutine[Any, Any, Result], limit: float = 5.0) -> Result:
        """Run the loop until something is done, and let time pass if nothing else happens.

        Raises:
            TimeoutError: It hangs.
        """
        return self.loop.run_until_complete(self._bounded(work, limit))

    async def _bounded(self, work: Coroutine[Any, Any, Result], limit: float) -> Result:
        task = self.loop.create_task(work)
        until, patience = self.loop.time() + limit, 20
        while True:
            await self.settle()
            if task.done():
                return task.result()
            if self.loop.advance(until):
                continue
            if not patience:
                task.cancel()
                await self.settle()
                raise TimeoutError(f"not done within {limit:g} s")
            patience -= 1
            time.sleep(0.001)  # noqa: ASYNC251 - the kernel may need a moment

    async def settle(self, turns: int = 20) -> None:
        """Let everything happen that needs no clock.

        Raises:
            TimeoutError: There is no end to it.
        """
        quiet = 0
        for _ in range(_TURNS):
            before = self._now
            await asyncio.sleep(0)
            quiet = quiet + 1 if before == self._now else 0
            if quiet >= turns:
                return
        raise TimeoutError("it never comes to rest")

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due by then."""
        until = self.loop.time() + seconds
        while self.loop.advance(until):
            await self.settle()
        self.loop.now = until

    def reset(self) -> None:
        """Forget what was seen, and all trouble."""
        self.homeserver.cache_initial_sync = False
        self.homeserver.answers.clear()
        self.homeserver.stored.clear()
        self.homeserver.sent_by.clear()
        self.complaints.clear()
        for identity_server in self.identity_servers:
            identity_server.require_terms({})
        for server in (self.homeserver, *self.identity_servers):
            server.clear()
            server.clear_faults()

    def _complain(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context['message']}: {context.get('exception')!r}")

    def _watch(self) -> None:
        """Have every aiohttp session tell what it sends; the package makes its own."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._begun)
        config.on_request_headers_sent.append(self._speaking)
        init: Callable[..., None] = aiohttp.ClientSession.__init__

        def watched(session: aiohttp.ClientSession, *args: Any, **kwargs: Any) -> None:
            kwargs["trace_configs"] = [*(kwargs.get("trace_configs") or ()), config]
            init(session, *args, **kwargs)

        self._patch.setattr(aiohttp.ClientSession, "__init__", watched)

    async def _begun(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        self.tick()
        if self.audience is not None and self._is_foreign(params.url):
            self.audience.begun(params.url)

    async def _speaking(
        self,
        _: aiohttp.ClientSession,
        __: SimpleNamespace,
        params: aiohttp.TraceRequestHeadersSentParams,
    ) -> None:
        self.tick()
        if self.audience is not None and self._is_foreign(params.url):
            self.audience.speaking(params.url, params.headers)

    def _is_foreign(self, url: URL) -> bool:
        return str(url.origin()) != self.homeserver.url
