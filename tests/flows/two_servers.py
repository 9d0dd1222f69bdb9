"""An identity server and a homeserver that answer as written down: what flows are tested with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

import attrs

from nio_identity_server.endpoint import Endpoint, Receiver, Reply
from nio_identity_server.endpoints.account import Account, GetAccount
from nio_identity_server.flows.session import Session
from nio_identity_server.secret import Secret

Result = TypeVar("Result")

SERVER = "https://id.example.org/path"
HOMESERVER = "https://matrix.example.org"
USER = "@alice:example.org"
TOKEN = "canary-token-of-the-identity-server"


def answered(answer: Any, endpoint: Endpoint[Reply]) -> Reply:
    """Give an answer, or raise it; a function is asked, and a list answers one after another."""
    if isinstance(answer, list):
        answer = answer.pop(0)
    elif callable(answer):
        answer = answer(endpoint)
    if isinstance(answer, Exception):
        raise answer
    return cast("Reply", answer)


@attrs.define
class Script:
    """One server, and what it was asked.

    Attributes:
        answers: An answer to each kind of request.
        asked: The requests, in their order.
    """

    answers: dict[type[Endpoint[Any]], Any]
    asked: list[Endpoint[Any]] = attrs.field(factory=list)

    async def __call__(self, endpoint: Endpoint[Reply], /) -> Reply:
        """Answer."""
        self.asked.append(endpoint)
        await asyncio.sleep(0)
        return answered(self.answers[type(endpoint)], endpoint)


@attrs.define
class TwoServers:
    """The line of a user whose token is good at the identity server.

    Attributes:
        answers: An answer to each kind of request.
        asked: What both servers were asked, in that order.
        tokens: The tokens that the identity server has received.
    """

    answers: dict[type[Endpoint[Any]], Any]
    asked: list[Endpoint[Any]] = attrs.field(factory=list)
    tokens: list[Secret | None] = attrs.field(factory=list)
    server: str = SERVER

    def __attrs_post_init__(self) -> None:
        self.answers = {GetAccount: Account(USER)} | self.answers

    @property
    def session(self) -> Session:
        """The user at the identity server."""
        return Session(self, token=Secret(TOKEN))

    def sent(self, kind: type[Endpoint[Any]]) -> list[Any]:
        """The requests of one kind."""
        return [each for each in self.asked if isinstance(each, kind)]

    @property
    def kinds(self) -> list[str]:
        """The kinds of all requests."""
        return [type(each).__name__ for each in self.asked]

    @property
    def is_published(self) -> bool:
        """The user has chosen it."""
        return False

    async def within(self, work: Awaitable[Result]) -> Result:
        """Await it."""
        return await work

    async def user_id(self) -> str:
        """The user's id."""
        return USER

    async def say(self, endpoint: Endpoint[Reply], token: Secret | None = None) -> Reply:
        """Answer as the identity server."""
        assert endpoint.receiver is Receiver.IDENTITY_SERVER
        self.tokens.append(token)
        return await self._answer(endpoint)

    async def ask_homeserver(self, endpoint: Endpoint[Reply]) -> Reply:
        """Answer as the homeserver."""
        assert endpoint.receiver is Receiver.HOMESERVER
        return await self._answer(endpoint)

    async def _answer(self, endpoint: Endpoint[Reply]) -> Reply:
        self.asked.append(endpoint)
        await asyncio.sleep(0)
        return answered(self.answers[type(endpoint)], endpoint)
