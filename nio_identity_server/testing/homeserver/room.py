"""One room: its state, its members and what has been said in it."""

from __future__ import annotations

import itertools
import time
from typing import Any

import attrs

Event = dict[str, Any]


class Events:
    """Makes events, numbered from one."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def make(
        self, kind: str, content: dict[str, Any], sender: str, state_key: str | None = None
    ) -> Event:
        """Make an event; with a state key, a piece of state."""
        event = {
            "type": kind,
            "content": content,
            "sender": sender,
            "event_id": f"$event{next(self._numbers)}",
            # True: bots tell by it what was said before they were there.
            "origin_server_ts": time.time_ns() // 1_000_000,
            "unsigned": {},
        }
        return event if state_key is None else {**event, "state_key": state_key}


@attrs.frozen
class Invite:
    """An invite that waits for its user.

    Attributes:
        since: When it was sent.
        state: What of the room the user gets to see.
    """

    since: int
    state: list[Event] = attrs.field(repr=False)


@attrs.define
class Room:
    """A room, shared by all who are in it.

    Attributes:
        room_id: Its id.
        state: The current state, by type and state key.
        timeline: Events with their positions in the stream.
        joined: Who of this server is in it, with the position at which they came.
        invites: Who is invited.
    """

    room_id: str
    state: dict[tuple[str, str], Event] = attrs.field(factory=dict, repr=False)
    timeline: list[tuple[int, Event]] = attrs.field(factory=list, repr=False)
    joined: dict[str, int] = attrs.field(factory=dict)
    invites: dict[str, Invite] = attrs.field(factory=dict)

    def put(self, event: Event) -> None:
        """Make an event part of the state."""
        self.state[event["type"], event["state_key"]] = event

    def content(self, kind: str, state_key: str = "") -> dict[str, Any]:
        """Give the content of a piece of state, empty if there is none."""
        event = self.state.get((kind, state_key))
        content: dict[str, Any] = {} if event is None else event["content"]
        return content

    def has(self, user_id: str) -> bool:
        """Tell whether somebody is in the room, here or elsewhere."""
        return self.content("m.room.member", user_id).get("membership") == "join"

    def section(self, user_id: str, position: int, *, full_state: bool) -> dict[str, Any]:
        """Give what a member's sync says of the room; empty when nothing is new."""
        since = self.joined[user_id]
        timeline = [event for at, event in self.timeline if at > max(position, since)]
        state = list(self.state.values()) if full_state or since > position else []
        if not (timeline or state):
            return {}
        return {
            "timeline": {"events": timeline, "limited": False, "prev_batch": f"s{position}"},
            "state": {"events": state},
            "account_data": {"events": []},
            "ephemeral": {"events": []},
            "unread_notifications": {"notification_count": 0, "highlight_count": 0},
            "summary": {},
        }
