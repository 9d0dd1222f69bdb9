"""A small HTTP client for the tests of the servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import ClientSession
from yarl import URL

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer


@attrs.frozen
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Status and errcode."""
        return self.status, self.json["errcode"]


@attrs.frozen
class Ask:
    """Sends requests whose targets stay as they are written."""

    session: ClientSession

    async def __call__(
        self, method: str, url: str, *, token: str | None = None, **options: Any
    ) -> Answer:
        """Ask, and read the whole answer."""
        if token is not None:
            options["headers"] = {"Authorization": f"Bearer {token}"}
        async with self.session.request(
            method, URL(url, encoded=True), allow_redirects=False, **options
        ) as response:
            return Answer(response.status, response.headers, await response.read())


@attrs.frozen
class Talk:
    """One user, logged in at one API."""

    ask: Ask
    base: str
    user_id: str
    token: str | None

    async def get(self, path: str) -> Answer:
        """Ask for something."""
        return await self.ask("GET", f"{self.base}{path}", token=self.token)

    async def post(self, path: str, body: Any = None) -> Answer:
        """Have something done."""
        return await self.ask("POST", f"{self.base}{path}", token=self.token, json=body)

    async def put(self, path: str, body: Any) -> Answer:
        """Write something."""
        return await self.ask("PUT", f"{self.base}{path}", token=self.token, json=body)

    async def sync(self, since: str = "") -> Any:
        """Give what a sync answers."""
        return (await self.get(f"/sync?since={since}" if since else "/sync")).json


def at_identity_server(ask: Ask, server: MatrixIdentityServer, user_id: str) -> Talk:
    """Let a user talk to an identity server."""
    base = f"{server.url}/_matrix/identity/v2"
    return Talk(ask, base, user_id, server.issue_token(user_id))


def at_homeserver(ask: Ask, server: MatrixHomeserver, name: str) -> Talk:
    """Register a user and let them talk to their homeserver."""
    account = server.register(name)
    base = f"{server.url}/_matrix/client/v3"
    return Talk(ask, base, account.user_id, account.access_token)


async def validate(talk: Talk, server: MatrixIdentityServer, address: str) -> dict[str, str]:
    """Prove that an email address is the user's; gives sid and client secret."""
    secret = f"secret-of-{talk.user_id.strip('@').partition(':')[0]}"
    body = {"email": address, "client_secret": secret, "send_attempt": 1}
    sid = (await talk.post("/validate/email/requestToken", body)).json["sid"]
    proof = {"sid": sid, "client_secret": secret}
    token = server.mails[-1].token
    await talk.post("/validate/email/submitToken", {**proof, "token": token})
    return proof
