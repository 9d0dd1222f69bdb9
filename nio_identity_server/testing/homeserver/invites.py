"""The chapter of the invites: of users, and of addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.accounts import Accounts
from nio_identity_server.testing.homeserver.bodies import json_object, user_id_of
from nio_identity_server.testing.homeserver.identity_servers import (
    IdentityServers,
    Refused,
    internal,
)
from nio_identity_server.testing.homeserver.paths import client_routes
from nio_identity_server.testing.homeserver.power_levels import PowerLevels
from nio_identity_server.testing.homeserver.room import Room
from nio_identity_server.testing.homeserver.rooms import Rooms
from nio_identity_server.testing.homeserver.third_party import THIRD_PARTY_INVITE
from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.routes import Call, Route

_RETRY_AFTER_MS = 400_000


class Invites:
    """Invites whoever is named, and looks for whoever has an address.

    Attributes:
        left: How many more invites are allowed; `None` for any number.
    """

    def __init__(self, accounts: Accounts, rooms: Rooms, identity_servers: IdentityServers) -> None:
        self.left: int | None = None
        self._accounts = accounts
        self._rooms = rooms
        self._identity_servers = identity_servers

    def routes(self) -> list[Route]:
        """Give the routes of this chapter."""
        return [
            *client_routes("POST", "/rooms/{room_id}/invite", self._invite),
            *client_routes("POST", "/rooms/{room_id}/kick", self._kick),
        ]

    def hear(self, association: Mapping[str, Any]) -> bool:
        """Turn invitations of an address into invites of its user; tells whether all were good."""
        good = True
        for invite in association.get("invites", ()):
            try:
                self._rooms.exchange(
                    invite["room_id"], invite["sender"], invite["mxid"], invite["signed"]
                )
            except Refusal:
                good = False
        return good

    async def _invite(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        body = json_object(call.request, optional=True)
        if "medium" in body and "address" in body:
            if "id_server" not in body or "id_access_token" not in body:
                told = "`id_server` and `id_access_token` are required when doing 3pid invite"
                raise Refusal(400, "M_MISSING_PARAM", told)
            self._count()
            await self._invite_address(call.values["room_id"], user_id, body)
        else:
            target = _target(body)
            self._count()
            room = self._rooms.entered(call.values["room_id"], user_id)
            self._rooms.invite(room, target, user_id, **_reason(body))
        return Reply.of_json({})

    async def _kick(self, call: Call) -> Reply:
        user_id = self._accounts.authenticate(call.request).user_id
        body = json_object(call.request)
        target = _target(body)
        room = self._rooms.entered(call.values["room_id"], user_id)
        self._rooms.remove(room, target, user_id, **_reason(body))
        return Reply.of_json({})

    def _count(self) -> None:
        if self.left is None:
            return
        if self.left <= 0:
            raise _limited()
        self.left -= 1

    async def _invite_address(self, room_id: str, user_id: str, body: dict[str, Any]) -> None:
        id_server, token = body["id_server"], body["id_access_token"]
        medium, address = body["medium"], body["address"]
        if not all(isinstance(each, str) for each in (id_server, token, medium, address)):
            raise internal()
        found = await self._identity_servers.find(id_server, token, medium, address)
        if found is not None:
            self._rooms.invite(self._rooms.entered(room_id, user_id), found, user_id)
            return
        # Synapse 1.163 looks whether the user is in the room only when all of this is done.
        room = self._rooms.find(room_id) or Room(room_id)
        content = {
            "medium": medium,
            "address": address,
            "room_id": room_id,
            "sender": user_id,
            **_described(room, user_id),
        }
        try:
            stored = await self._identity_servers.store_invite(id_server, token, content)
            state_key, invitation = stored["token"], _invitation(stored, id_server)
        except (Refused, LookupError, TypeError, AttributeError):
            raise internal() from None
        room = self._rooms.entered(room_id, user_id)
        PowerLevels.of(room).check_invite(user_id)
        self._rooms.put(room, THIRD_PARTY_INVITE, state_key, invitation, user_id)


def _described(room: Room, user_id: str) -> dict[str, str]:
    """Tell the identity server what the mail is to say of the room and of who invites."""
    member = room.content("m.room.member", user_id)
    described = {
        "room_alias": room.content("m.room.canonical_alias").get("alias", ""),
        "room_avatar_url": room.content("m.room.avatar").get("url", ""),
        "room_join_rules": room.content("m.room.join_rules").get("join_rule", ""),
        "room_name": room.content("m.room.name").get("name", ""),
        "sender_display_name": member.get("displayname") or user_id,
        "sender_avatar_url": member.get("avatar_url", ""),
    }
    room_type = room.content("m.room.create").get("type")
    return described if room_type is None else {**described, "room_type": room_type}


def _invitation(stored: dict[str, Any], id_server: str) -> dict[str, Any]:
    """Make the content of the event from what the identity server says."""
    public_keys = stored.get("public_keys", [])
    if "public_key" in stored:
        url = f"https://{id_server}/_matrix/identity/v2/pubkey/isvalid"
        fallback = {"public_key": stored["public_key"], "key_validity_url": url}
    else:
        fallback = public_keys[0]
    return {
        "display_name": stored["display_name"],
        "public_keys": public_keys or [fallback],
        "key_validity_url": fallback["key_validity_url"],
        "public_key": fallback["public_key"],
    }


def _reason(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"reason": body["reason"]} if "reason" in body else {}


def _target(body: dict[str, Any]) -> str:
    if "user_id" not in body:
        raise Refusal(400, "M_MISSING_PARAM", "Missing params: ['user_id']")
    return user_id_of(body["user_id"])


def _limited() -> Refusal:
    refusal = Refusal(429, "M_LIMIT_EXCEEDED", "Too Many Requests", retry_after_ms=_RETRY_AFTER_MS)
    waiting = {"Retry-After": str(_RETRY_AFTER_MS // 1000)}
    refusal.reply = attrs.evolve(refusal.reply, headers={**refusal.reply.headers, **waiting})
    return refusal
