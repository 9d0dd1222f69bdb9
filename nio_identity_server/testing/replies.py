"""What a loopback server answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Reply:
    """An answer that is ready to be sent.

    Attributes:
        status: The HTTP status.
        body: The bytes of the body.
        headers: Headers to send, content type included.
        chunked: Send with `Transfer-Encoding: chunked`, without a length.
    """

    status: int = 200
    body: bytes = attrs.field(default=b"", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    chunked: bool = False

    @property
    def json(self) -> Any:
        """The body decoded as JSON.

        Raises:
            ValueError: The body is not JSON.
        """
        return json.loads(self.body)

    @classmethod
    def of_json(
        cls,
        content: Any,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> Reply:
        """Answer with a JSON value."""
        return cls(
            status,
            json.dumps(content).encode(),
            {"Content-Type": "application/json", **(headers or {})},
            chunked=chunked,
        )

    @classmethod
    def of_html(cls, status: int, title: str) -> Reply:
        """Answer with a page for people, as servers do for paths that they do not know."""
        page = f"<html><head><title>{status} - {title}</title></head><body>{title}</body></html>"
        return cls(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


class Refusal(Exception):
    """Ends the handling of a request with a Matrix error.

    Attributes:
        reply: The answer to send: `errcode`, `error` and the extra fields as a JSON object.
    """

    def __init__(self, status: int, errcode: str, error: str, **extra: Any) -> None:
        super().__init__(f"{status} {errcode}")
        self.reply = Reply.of_json({"errcode": errcode, "error": error, **extra}, status)
