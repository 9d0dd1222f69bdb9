"""The order in which things happened on a homeserver."""

from __future__ import annotations

from nio_identity_server.testing.replies import Refusal
from nio_identity_server.testing.signals import Signal


class Stream:
    """Counts what happens, so that a sync can tell what is new.

    Attributes:
        position: The number of the latest happening.
        moved: Rings at each happening.
    """

    def __init__(self) -> None:
        self.position = 1
        self.moved = Signal()

    def advance(self) -> int:
        """Count one happening and wake the long polls; gives its position."""
        self.position += 1
        self.moved.ring()
        return self.position

    @property
    def token(self) -> str:
        """The position as a `next_batch`."""
        return f"s{self.position}"

    def read(self, token: str) -> int:
        """Give the position of a `since`.

        Raises:
            Refusal: 400 `M_UNKNOWN`: it is not a token of this server.
        """
        if not (token.startswith("s") and token[1:].isascii() and token[1:].isdigit()):
            raise Refusal(400, "M_UNKNOWN", "Invalid stream token")
        return int(token[1:])
