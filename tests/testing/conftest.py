from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from nio_identity_server.testing import LoopbackServer, MatrixHomeserver, MatrixIdentityServer
from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.routes import Call, Route, Routes

from .asking import Ask, at_homeserver, at_identity_server
from .inviting import Stage


class EchoServer(LoopbackServer):
    """Answers `POST /echo` with what it got, and counts how often it did."""

    def __init__(self) -> None:
        super().__init__()
        self.processed = 0

    def _routes(self) -> Routes:
        return Routes([Route("POST", "/echo", self._echo)])

    async def _echo(self, call: Call) -> Reply:
        self.processed += 1
        return Reply(200, call.request.body, {"Content-Type": "text/plain"})


@pytest_asyncio.fixture(name="ask")
async def _ask() -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession() as session:
        yield Ask(session)


@pytest_asyncio.fixture(name="echo")
async def _echo() -> AsyncIterator[EchoServer]:
    async with EchoServer() as server:
        yield server


@pytest_asyncio.fixture(name="hs")
async def _hs() -> AsyncIterator[MatrixHomeserver]:
    async with MatrixHomeserver() as server:
        yield server


@pytest_asyncio.fixture(name="idserver")
async def _idserver(hs: MatrixHomeserver) -> AsyncIterator[MatrixIdentityServer]:
    async with MatrixIdentityServer(hs) as server:
        yield server


@pytest_asyncio.fixture(name="stage")
async def _stage(ask: Ask, hs: MatrixHomeserver, idserver: MatrixIdentityServer) -> Stage:
    hs.add_identity_server(idserver)
    alice, bob = at_homeserver(ask, hs, "alice"), at_homeserver(ask, hs, "bob")
    room = (await alice.post("/createRoom", {"name": "Tea"})).json["room_id"]
    there = at_identity_server(ask, idserver, alice.user_id)
    return Stage(hs, idserver, alice, bob, room, there)
