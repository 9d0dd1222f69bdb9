"""One HTTP answer, and how the Matrix specification reads a refusal in it."""

from __future__ import annotations

from typing import Any

import attrs

from nio_identity_server import strict_json, words
from nio_identity_server.matrix_id import is_user_id


@attrs.frozen
class Answer:
    """What came back.

    Attributes:
        status: The HTTP status.
        body: The whole body.
        location: The ``Location`` header, or None.
        retry_after_header: The ``Retry-After`` header, or None.
    """

    status: int
    body: bytes = attrs.field(repr=False)
    location: str | None = attrs.field(default=None, repr=False)
    retry_after_header: str | None = None

    @property
    def errcode(self) -> str:
        """The Matrix error code in the body, ``M_UNKNOWN`` if there is no good one.

        Looked for whatever the content type says, and even without an ``error`` text
        (element-android#2531).
        """
        return words.errcode(self._object().get("errcode"))

    @property
    def message(self) -> str:
        """The server's own words: one line, at most 500 characters, no control characters."""
        return words.message(self._object().get("error"))

    @property
    def retry_after(self) -> float | None:
        """Seconds that a 429 asks to wait; None if it does not say, or says nonsense."""
        header = self.retry_after_header
        if header is not None and header.isascii() and header.isdigit() and len(header) < 10:  # noqa: PLR2004 - 30 years
            return float(header)
        value = self._object().get("retry_after_ms")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            return None
        try:
            return value / 1000  # strict JSON knows no NaN and no infinity
        except OverflowError:
            return None

    @property
    def owner(self) -> str | None:
        """Whose an address in use is (``mxid``), as the server says; None if it does not."""
        value = self._object().get("mxid")
        return value if isinstance(value, str) and is_user_id(value) else None

    def _object(self) -> dict[str, Any]:
        try:
            value = strict_json.loads(self.body)
        except strict_json.NotJson:
            return {}
        return value if isinstance(value, dict) else {}
