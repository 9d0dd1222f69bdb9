"""What somebody else says, made fit to be shown and compared."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 500
"""Characters that are kept of what a server says."""

_SHORTEST_SECRET = 4
"""Characters; a shorter one stands in many a word."""

_ERRCODE = re.compile(r"[A-Z0-9_.]{1,64}")


def printable(text: str) -> str:
    """The text on one line: without line breaks, control characters and invisible ones."""
    return "".join(char if char.isprintable() else "?" for char in text)


def message(value: object) -> str:
    """A server's own words for people: at most 500 characters, on one line."""
    return printable(value[:LONGEST]) if isinstance(value, str) else ""


def errcode(value: object) -> str:
    """A Matrix error code, or ``M_UNKNOWN`` for what is none."""
    return value if isinstance(value, str) and _ERRCODE.fullmatch(value) else "M_UNKNOWN"


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret blanked out: a server may repeat what it was sent."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text
