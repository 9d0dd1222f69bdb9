"""A Synapse for ``demo.py --real``, with a small proxy in front that writes down what passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from nio_identity_server.testing import LoopbackServer, Request
from nio_identity_server.testing.faults import Fault
from nio_identity_server.testing.replies import Reply
from tests.real.servers.stack import RealServers

_PASSED_ON = ("Authorization", "Content-Type")


class Recorder(LoopbackServer):
    """Records and holds requests like an embedded server; another one answers them.

    Args:
        behind: The base URL of the server that answers.
        session: What it is asked with.
    """

    def __init__(self, behind: str, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self._behind = behind
        self._session = session

    async def _reply(self, request: Request, fault: Fault | None) -> Reply:  # noqa: ARG002
        url = URL(self._behind + request.raw_path, encoded=True)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        async with self._session.request(
            request.method, url, data=request.body or None, headers=headers
        ) as answer:
            body = await answer.read()
            return Reply(answer.status, body, {"Content-Type": answer.headers["Content-Type"]})


@asynccontextmanager
async def synapse(password: str) -> AsyncIterator[tuple[LoopbackServer, str]]:
    """Start it, and register a user; gives the recorder and the user's id."""
    async with RealServers() as servers, aiohttp.ClientSession() as session:
        user = await servers.register_user("alice", password=password)
        async with Recorder(servers.homeserver_url, session) as recorder:
            yield recorder, user.user_id
