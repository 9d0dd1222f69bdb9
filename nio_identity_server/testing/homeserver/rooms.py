"""Rooms, as far as a bot needs them: callbacks, joining, answering."""

from __future__ import annotations

import itertools
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.accounts import Account, Accounts
from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.homeserver.stream import Stream
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

# A fixed age of the world: 2024-01-01, so that events are the same in each run.
_EPOCH_MS = 1_704_067_200_000


@attrs.frozen
class Sent:
    """An event that a client has sent to a room over HTTP.

    Attributes:
        user_id: The sender.
        room_id: The room.
        type: The type of the event.
        content: Its content.
        event_id: The id that it was given.
    """

    user_id: str
    room_id: str
    type: str
    content: dict[str, Any]
    event_id: str


@attrs.define
class _Joined:
    since: int
    state: list[dict[str, Any]]
    timeline: list[tuple[int, dict[str, Any]]] = attrs.field(factory=list)


@attrs.frozen
class _Invite:
    since: int
    state: list[dict[str, Any]]


class Rooms:
    """The rooms that users are in or invited to, each user's view by itself.

    Attributes:
        sent: What clients have sent by HTTP, in order.
    """

    def __init__(self, accounts: Accounts, stream: Stream) -> None:
        self.sent: list[Sent] = []
        self._accounts = accounts
        self._stream = stream
        self._transactions: dict[tuple[str, str, str], str] = {}
        self._joined: dict[str, dict[str, _Joined]] = {}
        self._invites: dict[str, dict[str, _Invite]] = {}
        self._numbers = itertools.count(1)

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            *client_routes("POST", "/join/{room_id}", self._join_call),
            *client_routes("POST", "/rooms/{room_id}/join", self._join_call),
            *client_routes("PUT", "/rooms/{room_id}/send/{type}/{txn_id}", self._send_call),
        ]

    def message(self, user_id: str, room_id: str, body: str, sender: str) -> str:
        """Put a text message into a room that the user is in, or joins by this; gives its id."""
        return self.event(
            user_id, room_id, "m.room.message", {"msgtype": "m.text", "body": body}, sender
        )

    def event(
        self, user_id: str, room_id: str, kind: str, content: dict[str, Any], sender: str
    ) -> str:
        """Put any event into the timeline of a room; gives its id."""
        self._join(user_id, room_id, sender)
        event = self._event(kind, content, sender)
        position = self._stream.advance()
        for rooms in self._joined.values():
            if room_id in rooms:
                rooms[room_id].timeline.append((position, event))
        return str(event["event_id"])

    def invite(self, user_id: str, room_id: str, sender: str) -> None:
        """Invite the user."""
        state = [
            {"type": kind, "state_key": key, "sender": sender, "content": content}
            for kind, key, content in (
                ("m.room.create", "", {"room_version": "10", "creator": sender}),
                ("m.room.member", sender, {"membership": "join"}),
                ("m.room.member", user_id, {"membership": "invite"}),
            )
        ]
        invite = _Invite(self._stream.advance(), state)
        self._invites.setdefault(user_id, {})[room_id] = invite

    def section(self, user_id: str, since: int | None, *, full_state: bool) -> dict[str, Any]:
        """Give the `rooms` part of a sync; empty when nothing is new."""
        position = since or 0
        joined = {
            room_id: part
            for room_id, room in self._joined.get(user_id, {}).items()
            if (part := _joined_part(room, position, full_state=full_state))
        }
        invites = {
            room_id: {"invite_state": {"events": invite.state}}
            for room_id, invite in self._invites.get(user_id, {}).items()
            if invite.since > position
        }
        parts = {"join": joined, "invite": invites}
        return {name: part for name, part in parts.items() if part}

    def _join(self, user_id: str, room_id: str, sender: str) -> None:
        rooms = self._joined.setdefault(user_id, {})
        if room_id in rooms:
            return
        self._invites.get(user_id, {}).pop(room_id, None)
        state = [self._event("m.room.create", {"room_version": "10"}, sender, "")]
        state += [
            self._event("m.room.member", {"membership": "join"}, member, member)
            for member in dict.fromkeys((sender, user_id))
        ]
        rooms[room_id] = _Joined(self._stream.advance(), state)

    async def _join_call(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        room_id = call.values["room_id"]
        if not any(room_id in rooms.get(user_id, {}) for rooms in (self._joined, self._invites)):
            raise Refusal(403, "M_FORBIDDEN", "You are not invited to this room.")
        self._join(user_id, room_id, user_id)
        return Reply.of_json({"room_id": room_id})

    async def _send_call(self, call: Call) -> Reply:
        account = self._accounts.authenticate(call.request)
        key = (account.access_token, call.values["room_id"], call.values["txn_id"])
        if key not in self._transactions:
            self._transactions[key] = self._send(account, call)
        return Reply.of_json({"event_id": self._transactions[key]})

    def _send(self, account: Account, call: Call) -> str:
        user_id, room_id, kind = account.user_id, call.values["room_id"], call.values["type"]
        content = json_object(call.request)
        if room_id not in self._joined.get(user_id, {}):
            raise Refusal(403, "M_FORBIDDEN", f"User {user_id} not in room {room_id}")
        event_id = self.event(user_id, room_id, kind, content, user_id)
        self.sent.append(Sent(user_id, room_id, kind, content, event_id))
        return event_id

    def _event(
        self, kind: str, content: dict[str, Any], sender: str, state_key: str | None = None
    ) -> dict[str, Any]:
        number = next(self._numbers)
        event = {
            "type": kind,
            "content": content,
            "sender": sender,
            "event_id": f"$event{number}",
            "origin_server_ts": _EPOCH_MS + number,
            "unsigned": {},
        }
        return event if state_key is None else {**event, "state_key": state_key}


def _joined_part(room: _Joined, position: int, *, full_state: bool) -> dict[str, Any]:
    timeline = [event for at, event in room.timeline if at > position]
    state = room.state if full_state or room.since > position else []
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
