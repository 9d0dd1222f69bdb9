"""A request as it arrived, kept for a test to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode

import attrs
from aiohttp import web
from multidict import CIMultiDict


@attrs.frozen(eq=False)
class Request:
    """One HTTP request that a loopback server has received; equal only to itself.

    The printed form shows the method and the path only: headers, query and body carry tokens and
    addresses, and a failing test prints what it compares.

    Attributes:
        method: In capitals, as sent.
        raw_path: The request target as sent: path and query, still percent-encoded.
        path: The path alone, decoded.
        query: The decoded query; of a repeated parameter the first value.
        headers: Names compare without regard to case.
        body: The bytes of the body, without any decoding.
        connection: Which of the server's TCP connections brought it, counted from 1; 0 if it came
            from another server in the same process, without any connection.
    """

    method: str
    raw_path: str = attrs.field(repr=False)
    path: str
    query: Mapping[str, str] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    connection: int = attrs.field(repr=False)

    @classmethod
    def received(cls, source: web.BaseRequest, body: bytes, connection: int) -> Request:
        """Take down what the HTTP server parsed."""
        return cls(
            method=source.method,
            raw_path=source.raw_path,
            path=unquote(source.raw_path.partition("?")[0]),
            query={name: source.query[name] for name in source.query},
            headers=source.headers,
            body=body,
            connection=connection,
        )

    @classmethod
    def inside(
        cls,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        authorization: str | None = None,
        content: Any = None,
    ) -> Request:
        """Make a request that one server puts to another in the same process.

        Args:
            method: In capitals.
            path: The path, with nothing in it that would need encoding.
            query: The query, not encoded.
            authorization: The Authorization header.
            content: The body, as a JSON value; `None` for an empty one.
        """
        given = {"Authorization": authorization, "Host": "localhost"}
        return cls(
            method=method,
            raw_path=f"{path}?{urlencode(query)}" if query else path,
            path=path,
            query=query or {},
            headers=CIMultiDict({name: value for name, value in given.items() if value}),
            body=b"" if content is None else json.dumps(content).encode(),
            connection=0,
        )

    @property
    def json(self) -> Any:
        """The body decoded as JSON, whatever its content type says.

        Raises:
            ValueError: The body is not JSON; `NaN` and `Infinity` are none, here and in Synapse.
        """
        return json.loads(self.body, parse_constant=_no_constant)

    @property
    def bearer(self) -> str | None:
        """The token of the Authorization header, or `None` without such a header."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token or None if scheme == "Bearer" else None

    @property
    def access_token(self) -> str | None:
        """The token that came with the request, by header or else by query."""
        return self.bearer or self.query.get("access_token")

    @property
    def segments(self) -> tuple[str, ...]:
        """The path cut at its slashes, each decoded after that, so that `%2F` cuts nothing."""
        return tuple(unquote(piece) for piece in self.raw_path.partition("?")[0].split("/"))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
