"""Matrix user IDs, as other servers hand them to us.

https://spec.matrix.org/v1.16/appendices/#user-identifiers
"""

from __future__ import annotations

import re

LONGEST = 255
"""Bytes of a user ID, sigil and server name included."""

# Historical local parts hold almost anything, also outside ASCII; but no colon, no blank, and
# nothing that does not print.
_USER_ID = re.compile(
    r"@(?P<local>[^:]*):(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,230})(?::[0-9]{1,5})?"
)


def is_user_id(text: str) -> bool:
    """Tell whether a text is a user ID: ``@local:server.name``, at most 255 bytes."""
    return (
        len(text) <= LONGEST
        and _USER_ID.fullmatch(text) is not None
        and text.isprintable()
        and " " not in text
        and len(text.encode()) <= LONGEST
    )
