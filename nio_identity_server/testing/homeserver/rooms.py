"""Rooms, as far as a bot needs them: callbacks, joining, answering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from nio_identity_server.testing.homeserver import room_versions
from nio_identity_server.testing.homeserver.accounts import Account, Accounts
from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.identity_servers import internal
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.homeserver.power_levels import (
    POWER_LEVELS,
    PowerLevels,
    check_numbers,
    usual_levels,
)
from nio_identity_server.testing.homeserver.room import Event, Events, Invite, Room
from nio_identity_server.testing.homeserver.stream import Stream
from nio_identity_server.testing.homeserver.third_party import proof
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

# What somebody who is invited gets to see of the room.
_PREVIEW = ("m.room.create", "m.room.join_rules", "m.room.name", "m.room.topic")


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


class Rooms:
    """All rooms, and the chapter of the API that joins them and talks in them.

    Attributes:
        sent: What clients have sent by HTTP, in order.
    """

    def __init__(self, accounts: Accounts, stream: Stream) -> None:
        self.sent: list[Sent] = []
        self._accounts = accounts
        self._stream = stream
        self._events = Events()
        self._transactions: dict[tuple[str, str, str], str] = {}
        self._rooms: dict[str, Room] = {}

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            *client_routes("POST", "/join/{room_id}", self._join_call),
            *client_routes("POST", "/rooms/{room_id}/join", self._join_call),
            *client_routes("PUT", "/rooms/{room_id}/send/{type}/{txn_id}", self._send_call),
        ]

    def message(self, user_id: str, room_id: str, body: str, sender: str) -> str:
        """Put a text message into a room that the user is in, or joins by this; gives its id."""
        content = {"msgtype": "m.text", "body": body}
        return self.event(user_id, room_id, "m.room.message", content, sender)

    def event(
        self, user_id: str, room_id: str, kind: str, content: dict[str, Any], sender: str
    ) -> str:
        """Put any event into the timeline of a room; gives its id."""
        room = self._opened(room_id, sender)
        if user_id not in room.joined and not room.has(sender):
            # Friends live elsewhere: they are members, but nobody here syncs for them.
            self.put(room, "m.room.member", sender, {"membership": "join"}, sender)
        for member in (sender, user_id):
            if member not in room.joined and self._accounts.is_registered(member):
                self.join(room, member)
        return self._say(room, self._events.make(kind, content, sender))

    def set_power_level(self, room_id: str, user_id: str, level: int) -> None:
        """Give a user a level, as whoever made the room.

        Raises:
            LookupError: There is no such room.
            ValueError: The user made the room, and is above all levels.
        """
        room = self._rooms[room_id]
        levels = room.content(POWER_LEVELS)
        content = {**levels, "users": {**levels.get("users", {}), user_id: level}}
        try:
            PowerLevels.of(room).check_users(content)
        except Refusal:
            raise ValueError(f"{user_id} made the room, and is above all levels") from None
        creator = room.state["m.room.create", ""]["sender"]
        self.put(room, POWER_LEVELS, "", content, creator)

    def invite_from_elsewhere(self, user_id: str, room_id: str, sender: str) -> None:
        """Invite the user into a room of which this server knows nothing but the inviter."""
        room = self._opened(room_id, sender)
        create = room.content("m.room.create")
        members = ((sender, "join"), (user_id, "invite"))
        state = [
            {"type": "m.room.create", "state_key": "", "sender": sender, "content": create},
            *(
                {
                    "type": "m.room.member",
                    "state_key": member,
                    "sender": sender,
                    "content": {"membership": membership},
                }
                for member, membership in members
            ),
        ]
        room.invites[user_id] = Invite(self._stream.advance(), state)

    def create(self, room_id: str, creator: str, state: list[tuple[str, str, Any]]) -> Room:
        """Make a room with its creator in it, and with this state.

        Raises:
            Refusal: 400: its power levels are none.
        """
        room = Room(room_id)
        for kind, state_key, content in state:
            room.put(self._events.make(kind, content, creator, state_key))
        check_numbers(room.content(POWER_LEVELS))
        PowerLevels.of(room).check_users(room.content(POWER_LEVELS))
        self._rooms[room_id] = room
        self.join(room, creator)
        return room

    def find(self, room_id: str) -> Room | None:
        """Give the room of this id, or `None`."""
        return self._rooms.get(room_id)

    def entered(self, room_id: str, user_id: str) -> Room:
        """Give a room that a user is in.

        Raises:
            Refusal: 403 `M_FORBIDDEN`: they are not, whether or not there is such a room.
        """
        room = self._rooms.get(room_id)
        if room is None or user_id not in room.joined:
            raise Refusal(403, "M_FORBIDDEN", f"User {user_id} not in room {room_id}")
        return room

    def put(
        self, room: Room, kind: str, state_key: str, content: dict[str, Any], sender: str
    ) -> str:
        """Change the state of a room, for all to see; gives the event's id."""
        event = self._events.make(kind, content, sender, state_key)
        room.put(event)
        return self._say(room, event)

    def join(self, room: Room, user_id: str, more: Mapping[str, Any] | None = None) -> None:
        """Let a user into a room; more content can join the event."""
        room.invites.pop(user_id, None)
        content = {**(more or {}), "membership": "join"}
        self.put(room, "m.room.member", user_id, content, user_id)
        room.joined[user_id] = self._stream.advance()

    def invite(self, room: Room, user_id: str, sender: str, **more: Any) -> None:
        """Invite a user into a room that this server has.

        Raises:
            Refusal: 403 `M_FORBIDDEN`: they are in it already, or the sender may not invite.
        """
        if room.has(user_id):
            raise Refusal(403, "M_FORBIDDEN", f"{user_id} is already in the room.")
        PowerLevels.of(room).check_invite(sender)
        self._invite(room, user_id, sender, **more)

    def remove(self, room: Room, user_id: str, sender: str, **more: Any) -> None:
        """Take a user out of a room, or their invite back.

        Raises:
            Refusal: 403 `M_FORBIDDEN`: they are neither in it nor invited, or above the sender.
        """
        if user_id not in room.joined and user_id not in room.invites:
            raise Refusal(403, "M_FORBIDDEN", "The target user is not in the room")
        PowerLevels.of(room).check_kick(sender, user_id)
        room.joined.pop(user_id, None)
        room.invites.pop(user_id, None)
        self.put(room, "m.room.member", user_id, {"membership": "leave", **more}, sender)

    def exchange(self, room_id: str, sender: str, user_id: str, signed: Mapping[str, Any]) -> None:
        """Turn an invitation of an address into an invite of the user who has proved it.

        Synapse 1.163 invites even a user who is in the room, which puts them out of it.

        Raises:
            Refusal: 403 `M_FORBIDDEN`: the proof is none; 500 `M_UNKNOWN`: there is no such room.
        """
        room = self._rooms.get(room_id)
        if room is None:
            raise internal()
        proven = proof(room, sender, user_id, signed)
        room.joined.pop(user_id, None)
        self._invite(room, user_id, sender, third_party_invite=proven)

    def section(self, user_id: str, since: int | None, *, full_state: bool) -> dict[str, Any]:
        """Give the `rooms` part of a sync; empty when nothing is new."""
        position = since or 0
        joined = {
            room.room_id: part
            for room in self._rooms.values()
            if user_id in room.joined
            and (part := room.section(user_id, position, full_state=full_state))
        }
        invites = {
            room.room_id: {"invite_state": {"events": room.invites[user_id].state}}
            for room in self._rooms.values()
            if user_id in room.invites and room.invites[user_id].since > position
        }
        parts = {"join": joined, "invite": invites}
        return {name: part for name, part in parts.items() if part}

    def _invite(self, room: Room, user_id: str, sender: str, **more: Any) -> None:
        content = {"membership": "invite", **more}
        self.put(room, "m.room.member", user_id, content, sender)
        shown = [*((kind, "") for kind in _PREVIEW), ("m.room.member", sender)]
        state = [_stripped(room.state[key]) for key in shown if key in room.state]
        state.append(_stripped(room.state["m.room.member", user_id]))
        room.invites[user_id] = Invite(self._stream.advance(), state)

    def _opened(self, room_id: str, creator: str) -> Room:
        room = self._rooms.setdefault(room_id, Room(room_id))
        if not room.state:
            version = room_versions.USUAL
            state = {
                "m.room.create": {"room_version": version},
                POWER_LEVELS: usual_levels(version, [creator], public=False),
                "m.room.join_rules": {"join_rule": "invite"},
            }
            for kind, content in state.items():
                room.put(self._events.make(kind, content, creator, ""))
        return room

    def _say(self, room: Room, event: Event) -> str:
        room.timeline.append((self._stream.advance(), event))
        return str(event["event_id"])

    async def _join_call(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        room_id = call.values["room_id"]
        body = json_object(call.request, optional=True)
        signed = body.get("third_party_signed")
        if signed is not None:
            if not isinstance(signed, dict) or "sender" not in signed:
                raise internal()
            self.exchange(room_id, signed["sender"], user_id, signed)
        room = self._rooms.get(room_id)
        if room is None or not self._may_join(room, user_id):
            raise Refusal(403, "M_FORBIDDEN", "You are not invited to this room.")
        if user_id not in room.joined:
            # The one of the two paths makes all of the body part of the event.
            whole = f"/join/{room_id}" in call.request.path
            self.join(room, user_id, body if whole else {})
        return Reply.of_json({"room_id": room_id})

    def _may_join(self, room: Room, user_id: str) -> bool:
        public = room.content("m.room.join_rules").get("join_rule") == "public"
        return public or user_id in room.joined or user_id in room.invites

    async def _send_call(self, call: Call) -> Reply:
        account = self._accounts.authenticate(call.request)
        key = (account.access_token, call.values["room_id"], call.values["txn_id"])
        if key not in self._transactions:
            self._transactions[key] = self._send(account, call)
        return Reply.of_json({"event_id": self._transactions[key]})

    def _send(self, account: Account, call: Call) -> str:
        user_id, room_id, kind = account.user_id, call.values["room_id"], call.values["type"]
        content = json_object(call.request)
        room = self.entered(room_id, user_id)
        PowerLevels.of(room).check_message(user_id, kind)
        event_id = self._say(room, self._events.make(kind, content, user_id))
        self.sent.append(Sent(user_id, room_id, kind, content, event_id))
        return event_id


def _stripped(event: Event) -> Event:
    return {name: event[name] for name in ("type", "state_key", "sender", "content")}
