"""Requests as any other client would send them; nothing of the package is in here."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote

import aiohttp
import attrs

PASSWORD = "a long secret"


@attrs.frozen
class User:
    """Somebody who is logged in."""

    user_id: str
    access_token: str = attrs.field(repr=False)
    device_id: str


async def send(
    method: str,
    url: str,
    *,
    token: str = "",
    body: object = None,
    tls: ssl.SSLContext | bool = True,
) -> tuple[int, Any]:
    """Send one request, and return the status and the JSON of its answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, url, json=body, ssl=tls) as response,
    ):
        return response.status, await response.json(content_type=None)


async def demand(method: str, url: str, **keywords: Any) -> Any:
    """Send one request that has to succeed."""
    status, answer = await send(method, url, **keywords)
    assert status == 200, f"{method} {url}: {status} {answer}"
    return answer


@attrs.frozen
class OtherClient:
    """Another client of a user, in front of the homeserver itself."""

    homeserver: str
    user: User

    async def write(self, content: object, kind: str = "m.identity_server") -> None:
        """Write account data."""
        await demand("PUT", self._url(kind), token=self.user.access_token, body=content)

    async def read(self, kind: str = "m.identity_server") -> Any:
        """Read account data; None if there is none."""
        status, content = await send("GET", self._url(kind), token=self.user.access_token)
        return None if status == 404 else content

    def _url(self, kind: str) -> str:
        user = quote(self.user.user_id, safe="")
        return f"{self.homeserver}/_matrix/client/v3/user/{user}/account_data/{kind}"
