"""Who may do what in a room: the levels of `m.room.power_levels`, as Synapse 1.163 reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from nio_identity_server.testing.homeserver.room import Room
from nio_identity_server.testing.homeserver.room_versions import creators_in_power
from nio_identity_server.testing.replies import Refusal

POWER_LEVELS = "m.room.power_levels"

_ABOVE_ALL = 2**53
_NUMBERS = ("users_default", "events_default", "state_default", "ban", "redact", "kick", "invite")
_TABLES = ("users", "events", "notifications")


@attrs.frozen
class PowerLevels:
    """The levels that hold in a room.

    Attributes:
        content: What the room says of them; every room here says something.
        creators: Who is above all levels: from room version 12 on, whoever made the room.
    """

    content: Mapping[str, Any]
    creators: tuple[str, ...]

    @classmethod
    def of(cls, room: Room) -> PowerLevels:
        """Read the state of a room."""
        create = room.state["m.room.create", ""]
        content = create["content"]
        creators = (create["sender"], *content.get("additional_creators", ()))
        above = creators_in_power(content["room_version"])
        return cls(room.content(POWER_LEVELS), creators if above else ())

    def of_user(self, user_id: str) -> int:
        """Give the level of a user."""
        if user_id in self.creators:
            return _ABOVE_ALL
        users = self.content.get("users", {})
        return int(users.get(user_id, self.content.get("users_default", 0)))

    def check_message(self, user_id: str, kind: str) -> None:
        """Make sure that a user may send an event of this type.

        Raises:
            Refusal: 403 `M_FORBIDDEN`.
        """
        self._check(user_id, self._needed(kind, "events_default", 0))

    def check_state(self, user_id: str, kind: str, state_key: str, content: Any) -> None:
        """Make sure that a user may set this piece of state to this content.

        Raises:
            Refusal: 403 `M_FORBIDDEN`; 400 for levels that are none.
        """
        if kind == "m.room.third_party_invite":
            self.check_invite(user_id)
            return
        if kind == POWER_LEVELS:
            check_numbers(content)
        self._check(user_id, self._needed(kind, "state_default", 50))
        if state_key.startswith("@") and state_key != user_id:
            raise _forbidden("You are not allowed to set others state")
        if kind == POWER_LEVELS:
            self._check_change(user_id, content)

    def check_invite(self, user_id: str) -> None:
        """Make sure that a user may invite.

        Raises:
            Refusal: 403 `M_FORBIDDEN`.
        """
        if self.of_user(user_id) < self._named("invite", 0):
            raise _forbidden("You don't have permission to invite users")

    def check_kick(self, user_id: str, target: str) -> None:
        """Make sure that a user may put another one out, or take their invite back.

        Raises:
            Refusal: 403 `M_FORBIDDEN`.
        """
        own = self.of_user(user_id)
        if user_id != target and (own < self._named("kick", 50) or own <= self.of_user(target)):
            raise _forbidden(f"You cannot kick user {target}.")

    def check_users(self, content: Mapping[str, Any]) -> None:
        """Make sure that levels name no creator who is above them.

        Raises:
            Refusal: 400 `M_UNKNOWN`.
        """
        named = [user_id for user_id in self.creators if user_id in content.get("users", {})]
        if not named:
            return
        if named[0] == self.creators[0]:
            raise _bad(f"Creator user {named[0]} must not appear in content.users")
        raise _bad("Additional creators users must not appear in content.users")

    def _check(self, user_id: str, needed: int) -> None:
        level = self.of_user(user_id)
        if level < needed:
            raise _forbidden(
                "You don't have permission to post that to the room. "
                f"user_level ({level}) < send_level ({needed})"
            )

    def _needed(self, kind: str, default: str, otherwise: int) -> int:
        level = self.content.get("events", {}).get(kind)
        return self._named(default, otherwise) if level is None else int(level)

    def _named(self, name: str, otherwise: int) -> int:
        return int(self.content.get(name, otherwise))

    def _check_change(self, user_id: str, new: Mapping[str, Any]) -> None:
        self.check_users(new)
        own = self.of_user(user_id)
        for table, name, before, after in _changes(self.content, new):
            if table == "users" and name != user_id and before == own:
                raise _forbidden("You don't have permission to remove ops level equal to your own")
            if any(level is not None and level > own for level in (before, after)):
                raise _forbidden("You don't have permission to add ops level greater than your own")


def usual_levels(version: str, creators: Iterable[str], *, public: bool) -> dict[str, Any]:
    """Give the levels of a new room, before whoever makes it changes them."""
    above = creators_in_power(version)
    events = {
        "m.room.name": 50,
        POWER_LEVELS: 100,
        "m.room.history_visibility": 100,
        "m.room.canonical_alias": 50,
        "m.room.avatar": 50,
        "m.room.tombstone": 150 if above else 100,
        "m.room.server_acl": 100,
        "m.room.encryption": 100,
    }
    return {
        "users": {} if above else dict.fromkeys(creators, 100),
        "users_default": 0,
        "events": {**events, "m.call.invite": 50} if public else events,
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": 50 if public else 0,
        "historical": 100,
    }


def check_numbers(content: Mapping[str, Any]) -> None:
    """Make sure that levels are whole numbers.

    Raises:
        Refusal: 400 `M_BAD_JSON`.
    """
    for name in _NUMBERS:
        if name in content and type(content[name]) is not int:
            raise _bad_json(f"\"{name}\": {content[name]!r} is not of type 'integer'")
    for name in _TABLES:
        table = content.get(name, {})
        if not isinstance(table, dict):
            raise _bad_json(f"\"{name}\": {table!r} is not of type 'object'")
        for key, level in table.items():
            if type(level) is not int:
                raise _bad_json(f"\"{key}\": {level!r} is not of type 'integer'")


def _changes(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, str, int | None, int | None]]:
    """Give each level that differs: its table, its name, and what it was and becomes."""
    pairs = [("", {name: part[name] for name in _NUMBERS if name in part}) for part in (old, new)]
    rows = [("", pairs[0][1], pairs[1][1])]
    rows += [(table, old.get(table, {}), new.get(table, {})) for table in _TABLES]
    for table, before, after in rows:
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                yield table, name, before.get(name), after.get(name)


def _forbidden(error: str) -> Refusal:
    return Refusal(403, "M_FORBIDDEN", error)


def _bad(error: str) -> Refusal:
    return Refusal(400, "M_UNKNOWN", error)


def _bad_json(error: str) -> Refusal:
    return Refusal(400, "M_BAD_JSON", error)
