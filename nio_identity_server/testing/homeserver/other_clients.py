"""What the other clients of a homeserver's users do."""

from __future__ import annotations

from typing import Any

import attrs

from nio_identity_server.testing.homeserver.chapters import Chapters
from nio_identity_server.testing.server import LoopbackServer


class OtherClients:
    """What a test does to a homeserver by method, another client would do over HTTP.

    Each of them advances the stream and wakes the long polls.
    """

    def __init__(self, chapters: Chapters) -> None:
        self._accounts = chapters.accounts
        self._account_data = chapters.account_data
        self._inbox = chapters.inbox
        self._rooms = chapters.rooms
        self._threepids = chapters.threepids

    def set_account_data(
        self, user_id: str, event_type: str, content: Any, *, event: Any = attrs.NOTHING
    ) -> None:
        """Set account data as another client of the user would, but unchecked.

        Args:
            user_id: Whose.
            event_type: The type.
            content: Any JSON value, also one that a PUT would refuse.
            event: What a sync delivers; by default an object of `type` and `content`.

        Raises:
            LookupError: There is no such user.
        """
        true = {"type": event_type, "content": content}
        told = true if event is attrs.NOTHING else event
        self._account_data.store(self._accounts.known(user_id), event_type, content, told)

    def choose(self, user_id: str, server: LoopbackServer | str | None) -> None:
        """Let a user pick an identity server, or none, in another client (`m.identity_server`).

        Args:
            user_id: Who.
            server: An identity server, or any text to stand as its `base_url`; `None` writes
                `null`, which switches identity servers off.

        Raises:
            LookupError: There is no such user.
        """
        url = server.url if isinstance(server, LoopbackServer) else server
        self.set_account_data(user_id, "m.identity_server", {"base_url": url})

    def delete_account_data(self, user_id: str, event_type: str) -> None:
        """Remove account data: GET says 404, the next incremental sync says `{}` (MSC3391).

        Raises:
            LookupError: There is no such user, or nothing to remove.
        """
        self._account_data.delete(self._accounts.known(user_id), event_type)

    def account_data(self, user_id: str, event_type: str) -> Any:
        """Read account data back.

        Raises:
            LookupError: There is no such user, or it is absent.
        """
        return self._account_data.content(self._accounts.known(user_id), event_type)

    def replay_sync(
        self, user_id: str, account_data_events: list[Any], *, instead: bool = False
    ) -> None:
        """Let the user's next sync response carry these account-data events, unfiltered.

        They come before the true changes, or instead of them, which are then lost. The events may
        be stale or malformed. The stream advances, so that a long poll is answered at once.

        Raises:
            LookupError: There is no such user.
        """
        user = self._accounts.known(user_id)
        self._account_data.replay(user, account_data_events, instead=instead)

    def send_to_device(
        self, user_id: str, event_type: str, content: dict[str, Any], sender: str = "friend"
    ) -> None:
        """Send a to-device message to every device of a user.

        Raises:
            LookupError: There is no such user.
        """
        event = {"type": event_type, "content": content, "sender": self._accounts.user_id(sender)}
        self._inbox.add(self._accounts.known(user_id), event)

    def add_message(self, user_id: str, room_id: str, body: str, sender: str = "friend") -> str:
        """Put a text message into a room; gives the event id.

        The user joins the room if need be, and everybody who is in it gets the message.

        Raises:
            LookupError: There is no such user.
        """
        user = self._accounts.known(user_id)
        return self._rooms.message(user, room_id, body, self._accounts.user_id(sender))

    def invite(self, user_id: str, room_id: str, sender: str = "friend") -> None:
        """Invite a user into a room.

        Raises:
            LookupError: There is no such user.
        """
        user = self._accounts.known(user_id)
        self._rooms.invite_from_elsewhere(user, room_id, self._accounts.user_id(sender))

    def add_threepid(self, user_id: str, medium: str, address: str) -> None:
        """Add an address to an account of this homeserver, as if the user had validated it.

        Raises:
            LookupError: There is no such user.
        """
        self._threepids.add(self._accounts.known(user_id), medium, address)

    def set_power_level(self, room_id: str, user_id: str, level: int) -> None:
        """Give somebody a power level in a room, as the one who made it.

        Raises:
            LookupError: There is no such room.
            ValueError: They made the room: from version 12 on, such a user is above all levels.
        """
        self._rooms.set_power_level(room_id, self._accounts.user_id(user_id), level)
