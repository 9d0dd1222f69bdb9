"""A nio client that tells the world which answers reach it, at the moment in which they do."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any, Protocol
from urllib.parse import unquote

import attrs
from nio import AsyncClient, SyncResponse

from nio_identity_server import IdentityServerMixin

from .model import Ledger, Word
from .stage import ANSWER, EVENT, OPERATION

_TURNS = 4
"""Turns of the loop after which whoever waited for the end of a body has seen it."""


@attrs.define(eq=False)
class Operation:
    """Something that the application does with the package, as a task of its own.

    Attributes:
        name: Which, and its number.
        kind: Which method.
        url: The server or the content that it names.
        ledger: What was known of the user when it last passed on.
        task: Runs it.
        cancelled: Whether we cancelled it.
        server: Where its latest request went.
        leaving: The ledger of the user whose token it has begun to end, before it writes.
        sent_at: When its PUT was first sent.
        before: The preference at that moment.
        heard: What had been heard at that moment.
        word: The answer to its PUT.
        reply: What it returned.
        error: What it raised.
    """

    name: str
    kind: str
    ledger: Ledger
    url: str | None = None
    task: asyncio.Task[None] | None = None
    cancelled: bool = False
    server: str | None = None
    leaving: Ledger | None = None
    sent_at: int | None = None
    before: Any = None
    heard: int = 0
    word: Word | None = None
    reply: Any = None
    error: BaseException | None = None


CURRENT: ContextVar[Operation | None] = ContextVar("operation", default=None)


class Host(Protocol):
    """Who is told."""

    def sync_answered(self, response: Any) -> None:
        """A sync response reached the client and was looked at."""

    def injected(self, response: Any) -> None:
        """A response of unknown origin is about to be looked at."""

    def sending(self, method: str) -> Ledger:
        """A request for account data leaves; gives the ledger that it is for."""

    def arrived(self, ledger: Ledger, method: str, user: str, response: Any) -> Word | None:
        """Its answer is here; gives the word that is in it."""

    def read(self, ledger: Ledger, word: Word) -> None:
        """The answer to a GET has surely been read."""

    def ended(self, ledger: Ledger, method: str) -> None:
        """The request is over, well or badly."""


class Bot(IdentityServerMixin, AsyncClient):  # type: ignore[misc] # nio is untyped
    """A bot that is watched.

    Attributes:
        host: Who watches it.
    """

    host: Host

    async def create_matrix_response(self, *args: Any, **kwargs: Any) -> Any:
        """Tell of a response when the mixin has just seen it."""
        response = await super().create_matrix_response(*args, **kwargs)
        if isinstance(response, SyncResponse):
            self.host.sync_answered(response)
        return response

    async def receive_response(self, response: Any) -> None:
        """Tell of a response that somebody injects, when the mixin sees it."""
        if isinstance(response, SyncResponse) and response.transport_response is None:
            self.host.injected(response)
        await super().receive_response(response)

    async def send(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        """Tell of the requests that read or write the choice."""
        if f"/account_data/{EVENT}" not in path:
            return await super().send(method, path, *args, **kwargs)
        data, headers, *rest = args
        token, user = self.access_token, unquote(path.split("/")[5])
        operation = CURRENT.get()
        if operation is not None:
            headers = {**headers, OPERATION: operation.name}
        ledger = self.host.sending(method)
        try:
            response = await super().send(method, path, data, headers, *rest, **kwargs)
        finally:
            self.host.ended(ledger, method)
        # A read with another token is not looked at; a write is stored whatever its token.
        if (method == "PUT" or token == self.access_token) and not response.history:
            word = self.host.arrived(ledger, method, user, response)
            if word is not None and method == "GET":
                self._watch(response, ledger, word)
        return response

    def _watch(self, response: Any, ledger: Ledger, word: Word) -> None:
        """Tell when a body has surely been read, unless the reader went away."""
        task, token = asyncio.current_task(), self.access_token
        loop = asyncio.get_running_loop()
        assert task is not None

        def turn(left: int) -> None:
            if left:
                loop.call_soon(turn, left - 1)
            elif not (task.cancelled() or task.cancelling()) and token == self.access_token:
                self.host.read(ledger, word)
            else:
                ledger.lost(word)

        response.content.on_eof(lambda: loop.call_soon(turn, _TURNS))


def number(response: Any) -> int:
    """The number that the homeserver wrote on an answer."""
    return int(response.headers[ANSWER])
