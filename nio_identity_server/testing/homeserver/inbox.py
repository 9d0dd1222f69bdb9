"""Messages to devices."""

from __future__ import annotations

from typing import Any

import attrs

from nio_identity_server.testing.homeserver.accounts import Account
from nio_identity_server.testing.homeserver.stream import Stream


@attrs.frozen
class _Message:
    position: int
    user_id: str
    event: dict[str, Any]


class Inbox:
    """To-device messages; each goes to every device of its user."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._messages: list[_Message] = []
        self._read: dict[tuple[str, str], int] = {}

    def add(self, user_id: str, event: dict[str, Any]) -> None:
        """Send a message."""
        self._messages.append(_Message(self._stream.advance(), user_id, event))

    def fetch(self, account: Account, since: int | None) -> list[dict[str, Any]]:
        """Give what a device has not yet confirmed to have read, by a `since` behind it."""
        device = (account.user_id, account.device_id)
        read = max(since or 0, self._read.get(device, 0))
        self._read[device] = read
        return [
            message.event
            for message in self._messages
            if message.user_id == account.user_id and message.position > read
        ]
