"""What somebody else calls something, made fit to be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line: without line breaks, control characters and invisible ones."""
    return "".join(char if char.isprintable() else "?" for char in text)
