"""A small HTTP client for the tests of the servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import ClientSession
from yarl import URL


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
