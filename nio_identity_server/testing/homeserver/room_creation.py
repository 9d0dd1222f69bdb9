"""The chapter that makes rooms."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from nio_identity_server.testing.homeserver import room_versions
from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.bodies import json_object, user_id_of
from nio_identity_server.testing.homeserver.identity_servers import internal
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.homeserver.power_levels import POWER_LEVELS, usual_levels
from nio_identity_server.testing.homeserver.rooms import Rooms
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Call, Route

_JOIN_RULES = {
    "private_chat": "invite",
    "trusted_private_chat": "invite",
    "public_chat": "public",
}
_TRUSTED = "trusted_private_chat"


class RoomCreation:
    """Makes rooms for users.

    Attributes:
        with_addresses: The requests that asked to invite addresses, which were refused.
    """

    def __init__(self, accounts: Accounts, rooms: Rooms) -> None:
        self.with_addresses: list[Request] = []
        self._accounts = accounts
        self._rooms = rooms
        self._numbers = itertools.count(1)

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return client_routes("POST", "/createRoom", self._create)

    async def _create(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        body = json_object(call.request)
        if body.get("invite_3pid"):
            # At Synapse, one address that fails leaves a room behind whose id nobody is told.
            self.with_addresses.append(call.request)
            raise Refusal(500, "M_UNKNOWN", "This server takes no invite_3pid, on purpose")
        version = room_versions.known(body.get("room_version", room_versions.USUAL))
        try:
            invited = [user_id_of(value) for value in body.get("invite", ())]
        except Refusal:
            raise Refusal(400, "M_UNKNOWN", "Invalid user_id") from None
        try:
            state = _state(body, user_id, version, invited)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise internal() from None
        server_name = user_id.partition(":")[2]
        room_id = room_versions.room_id(next(self._numbers), server_name, version)
        room = self._rooms.create(room_id, user_id, state)
        direct = {"is_direct": True} if body.get("is_direct") else {}
        for target in invited:
            self._rooms.invite(room, target, user_id, **direct)
        return Reply.of_json({"room_id": room_id})


def _state(
    body: dict[str, Any], creator: str, version: str, invited: Iterable[str]
) -> list[tuple[str, str, Any]]:
    """Give the first state of a room: later entries win over earlier ones."""
    usual = "public_chat" if body.get("visibility") == "public" else "private_chat"
    preset = body.get("preset", usual)
    if preset not in _JOIN_RULES:
        raise Refusal(400, "M_BAD_JSON", f"'{preset}' is not a valid preset")
    create = {
        **body.get("creation_content", {}),
        **room_versions.creator_field(creator, version),
        "room_version": version,
    }
    trusted = [*invited] if preset == _TRUSTED else []
    if trusted and room_versions.creators_in_power(version):
        more = [*create.get("additional_creators", ()), *trusted]
        create["additional_creators"] = [*dict.fromkeys(more)]
    levels = usual_levels(version, [creator, *trusted], public=preset == "public_chat")
    override = body.get("power_level_content_override", {})
    guests = [] if preset == "public_chat" else [("m.room.guest_access", "can_join")]
    state: list[tuple[str, str, Any]] = [
        ("m.room.create", "", create),
        (POWER_LEVELS, "", {**levels, **_checked(override, creator, version)}),
        ("m.room.join_rules", "", {"join_rule": _JOIN_RULES[preset]}),
        ("m.room.history_visibility", "", {"history_visibility": "shared"}),
        *((kind, "", {"guest_access": access}) for kind, access in guests),
    ]
    state += [
        (event["type"], event.get("state_key", ""), event.get("content", {}))
        for event in body.get("initial_state", ())
    ]
    state += [
        (f"m.room.{name}", "", {name: body[name]}) for name in ("name", "topic") if name in body
    ]
    return state


def _checked(override: dict[str, Any], creator: str, version: str) -> dict[str, Any]:
    in_list = not room_versions.creators_in_power(version)
    if in_list and creator not in override.get("users", {creator}):
        told = f"'users' did not contain {creator}"
        raise Refusal(400, "M_UNKNOWN", f"Not a valid power_level_content_override: {told}")
    return override
