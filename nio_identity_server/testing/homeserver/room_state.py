"""The chapter of the state of rooms."""

from __future__ import annotations

from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.bodies import json_object
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.homeserver.power_levels import PowerLevels
from nio_identity_server.testing.homeserver.rooms import Rooms
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route


class RoomState:
    """Reads the state of rooms, and writes it, but for memberships."""

    def __init__(self, accounts: Accounts, rooms: Rooms) -> None:
        self._accounts = accounts
        self._rooms = rooms

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        room = "/rooms/{room_id}"
        paths = (f"{room}/state/{{type}}", f"{room}/state/{{type}}/{{state_key}}")
        return [
            *client_routes("GET", f"{room}/state", self._list),
            *client_routes("GET", f"{room}/joined_members", self._members),
            *(route for path in paths for route in client_routes("GET", path, self._get)),
            *(route for path in paths for route in client_routes("PUT", path, self._put)),
        ]

    async def _list(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        room = self._rooms.entered(call.values["room_id"], user_id)
        events = [{**event, "room_id": room.room_id} for event in room.state.values()]
        return Reply.of_json(events)

    async def _members(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        room = self._rooms.entered(call.values["room_id"], user_id)
        members = [key for kind, key in room.state if kind == "m.room.member" and room.has(key)]
        profile = {"display_name": None, "avatar_url": None}
        return Reply.of_json({"joined": dict.fromkeys(members, profile)})

    async def _get(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        room = self._rooms.entered(call.values["room_id"], user_id)
        event = room.state.get((call.values["type"], call.values.get("state_key", "")))
        if event is None:
            raise Refusal(404, "M_NOT_FOUND", "Event not found.")
        if call.request.query.get("format") == "event":
            return Reply.of_json({**event, "room_id": room.room_id})
        return Reply.of_json(event["content"])

    async def _put(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        content = json_object(call.request)
        room = self._rooms.entered(call.values["room_id"], user_id)
        kind, state_key = call.values["type"], call.values.get("state_key", "")
        if kind == "m.room.member":
            # Synapse allows it; a test that needs it has to know that this server does not.
            raise Refusal(403, "M_FORBIDDEN", "Members come by invite and join only, here")
        PowerLevels.of(room).check_state(user_id, kind, state_key, content)
        return Reply.of_json({"event_id": self._rooms.put(room, kind, state_key, content, user_id)})
