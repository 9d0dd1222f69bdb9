"""Who may do what in a room: both homeservers refuse the same, in the same words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from tests.scenarios.plain_client import User, demand, send
from tests.scenarios.stage import Stage

LEVELS = "m.room.power_levels"
_NUMBERS = itertools.count(1)


@attrs.frozen
class Room:
    """A room of alice, and who else is in it.

    Attributes:
        home: The homeserver.
        path: The room's path.
        people: By the names that a story uses; bob has joined, carol is outside.
    """

    home: str
    path: str
    people: Mapping[str, User]

    async def ask(self, who: str, method: str, path: str, body: object) -> str:
        """Ask for something in somebody's name; gives what comes of it, with names for ids."""
        url = f"{self.home}{self.path}{path}"
        token = self.people[who].access_token
        status, answer = await send(method, url, token=token, body=body)
        if status == 200:
            return "done"
        told = f"{answer['errcode']} {answer['error']}"
        for name, user in self.people.items():
            told = told.replace(user.user_id, f"<{name}>")
        return f"{status} {told}"

    async def say(self, who: str, kind: str = "m.room.message") -> str:
        """Send a message."""
        body = {"msgtype": "m.text", "body": "hello"}
        return await self.ask(who, "PUT", f"/send/{kind}/t{next(_NUMBERS)}", body)

    async def state(self, who: str, kind: str, content: object, key: str = "") -> str:
        """Write a piece of state."""
        return await self.ask(who, "PUT", f"/state/{kind}/{quote(key)}", content)

    async def invite(self, who: str, whom: str) -> str:
        """Invite somebody."""
        return await self.ask(who, "POST", "/invite", {"user_id": self.people[whom].user_id})

    async def kick(self, who: str, whom: str) -> str:
        """Put somebody out."""
        return await self.ask(who, "POST", "/kick", {"user_id": self.people[whom].user_id})

    async def levels(self) -> Any:
        """Read the levels."""
        url, token = f"{self.home}{self.path}/state/{LEVELS}", self.people["alice"].access_token
        return await demand("GET", url, token=token)

    async def change(self, who: str, users: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Write the levels again, with these of users, by name, and these others."""
        levels = await self.levels()
        named = {self.people[name].user_id: level for name, level in (users or {}).items()}
        content = {**levels, **more, "users": {**levels.get("users", {}), **named}}
        return await self.state(who, LEVELS, content)


async def created(stage: Stage, **body: Any) -> Room:
    """Let alice make a room that bob joins; carol and dave stay outside."""
    names = ("alice", "bob", "carol", "dave")
    people = {name: await stage.user(name) for name in names}
    api = f"{stage.home_url}/_matrix/client/v3"
    body = {"invite": [people["bob"].user_id], **body}
    answer = await demand(
        "POST", f"{api}/createRoom", token=people["alice"].access_token, body=body
    )
    room = str(answer["room_id"])
    path = f"/_matrix/client/v3/rooms/{quote(room)}"
    await demand("POST", f"{api}/join/{quote(room)}", token=people["bob"].access_token, body={})
    return Room(stage.home_url, path, people)


def denied(level: int, needed: int) -> str:
    """What is said to somebody whose level does not reach."""
    told = "You don't have permission to post that to the room."
    return f"403 M_FORBIDDEN {told} user_level ({level}) < send_level ({needed})"


@pytest.mark.parametrize("version", ["10", "11", "12", None])
@pytest.mark.parametrize("preset", ["private_chat", "trusted_private_chat", "public_chat"])
async def test_the_first_levels(stage: Stage, version: str | None, preset: str) -> None:
    """They follow from the version and the preset; who made the room is above them or in them."""
    chosen = {} if version is None else {"room_version": version}
    room = await created(stage, preset=preset, **chosen)
    alice, bob = (room.people[name].user_id for name in ("alice", "bob"))
    trusted = preset == "trusted_private_chat"
    hundred = {} if version in ("12", None) else {alice: 100, **({bob: 100} if trusted else {})}

    levels = await room.levels()
    create = await demand(
        "GET",
        f"{room.home}{room.path}/state/m.room.create",
        token=room.people["alice"].access_token,
    )

    assert levels.pop("events") == {
        "m.room.name": 50,
        "m.room.power_levels": 100,
        "m.room.history_visibility": 100,
        "m.room.canonical_alias": 50,
        "m.room.avatar": 50,
        "m.room.tombstone": 150 if version in ("12", None) else 100,
        "m.room.server_acl": 100,
        "m.room.encryption": 100,
        **({"m.call.invite": 50} if preset == "public_chat" else {}),
    }
    assert levels == {
        "users": hundred,
        "users_default": 0,
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": 50 if preset == "public_chat" else 0,
        "historical": 100,
    }
    assert create == {
        "room_version": version or "12",
        **({"creator": alice} if version == "10" else {}),
        **({"additional_creators": [bob]} if trusted and version in ("12", None) else {}),
    }
    assert ("%3A" in room.path) is (version in ("10", "11"))  # a room's id names its server


@pytest.mark.parametrize("version", ["10", "12"])
async def test_everybody(stage: Stage, version: str) -> None:
    """Without a level one may speak and invite, but not change the room nor put anybody out."""
    room = await created(stage, room_version=version)

    assert await room.say("bob") == "done"
    assert await room.state("bob", "m.room.topic", {"topic": "Milk"}) == denied(0, 50)
    assert await room.state("bob", "m.room.encryption", {}) == denied(0, 100)
    assert await room.change("bob", {"bob": 100}) == denied(0, 100)
    assert await room.kick("bob", "alice") == "403 M_FORBIDDEN You cannot kick user <alice>."
    assert await room.invite("bob", "carol") == "done"
    assert await room.kick("bob", "carol") == "403 M_FORBIDDEN You cannot kick user <carol>."
    assert await room.state("alice", "m.room.topic", {"topic": "Milk"}) == "done"
    assert await room.kick("alice", "carol") == "done"
    outside = "403 M_FORBIDDEN The target user is not in the room"
    assert await room.kick("alice", "dave") == outside
    tombstone = {"body": "moved", "replacement_room": "!elsewhere:example.org"}
    needs = 150 if version == "12" else 100
    assert await room.change("alice", {"bob": 99}) == "done"
    assert await room.state("bob", "m.room.tombstone", tombstone) == denied(99, needs)


async def test_a_level_given_and_taken(stage: Stage) -> None:
    """It holds from then on; levels go neither above one's own nor down from the same height."""
    room = await created(stage)

    assert await room.change("alice", {"bob": 50}) == "done"
    assert await room.state("bob", "m.room.topic", {"topic": "Milk"}) == "done"
    assert await room.state("bob", "m.x", {"n": 1}, "key") == "done"
    own, other = (room.people[name].user_id for name in ("bob", "alice"))
    assert await room.state("bob", "m.x", {}, own) == "done"
    others = "403 M_FORBIDDEN You are not allowed to set others state"
    assert await room.state("bob", "m.x", {}, other) == others
    assert await room.change("bob", {"carol": 10}) == denied(50, 100)

    levels = await room.levels()
    eased = {**levels["events"], LEVELS: 50}
    assert await room.change("alice", {"carol": 50, "dave": 60}, events=eased) == "done"
    above = "403 M_FORBIDDEN You don't have permission to add ops level greater than your own"
    equal = "403 M_FORBIDDEN You don't have permission to remove ops level equal to your own"
    assert await room.change("bob", {"bob": 51}) == above
    assert await room.change("bob", {"carol": 0}) == equal
    assert await room.change("bob", {"dave": 0}) == above
    assert await room.change("bob", events={**eased, "m.room.encryption": 0}) == above
    assert await room.change("bob", kick=51) == above
    assert await room.change("bob", invite=50, events_default=10) == "done"
    assert await room.change("bob", {"bob": 0}) == "done"

    assert await room.say("bob") == denied(0, 10)
    assert await room.invite("bob", "carol") == (
        "403 M_FORBIDDEN You don't have permission to invite users"
    )
    assert await room.invite("alice", "alice") == (
        "403 M_FORBIDDEN <alice> is already in the room."
    )
    assert await room.change("alice", users_default=50) == "done"
    assert await room.say("bob") == denied(0, 10)
    assert await room.kick("alice", "bob") == "done"


async def test_equals(stage: Stage) -> None:
    """Nobody is put out by somebody of the same level, and one may always go by oneself."""
    room = await created(stage, room_version="10")
    await room.invite("alice", "carol")
    await room.ask("carol", "POST", "/join", {})
    assert await room.change("alice", {"bob": 50, "carol": 50}) == "done"

    assert await room.kick("bob", "carol") == "403 M_FORBIDDEN You cannot kick user <carol>."
    assert await room.kick("bob", "bob") == "done"
    assert await room.change("alice", {"alice": 0}) == "done"
    assert await room.change("alice", {"alice": 100}) == denied(0, 100)


async def test_creators(stage: Stage) -> None:
    """From version 12 on they are in no list, and nobody can put them out."""
    room = await created(stage, preset="trusted_private_chat")

    told = "400 M_UNKNOWN Creator user <alice> must not appear in content.users"
    assert await room.change("alice", {"alice": 100}) == told
    told = "400 M_UNKNOWN Additional creators users must not appear in content.users"
    assert await room.change("alice", {"bob": 100}) == told
    assert await room.kick("bob", "alice") == "403 M_FORBIDDEN You cannot kick user <alice>."
    assert await room.change("bob", {"carol": 100}) == "done"


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ({"ban": "50"}, "\"ban\": '50' is not of type 'integer'"),
        ({"users": []}, "\"users\": [] is not of type 'object'"),
        ({"events": {"m.x": True}}, "\"m.x\": True is not of type 'integer'"),
    ],
)
async def test_levels_that_are_none(stage: Stage, levels: dict[str, Any], told: str) -> None:
    """They are refused, whoever writes them."""
    room = await created(stage)

    for who in ("alice", "bob"):
        assert await room.state(who, LEVELS, levels) == f"400 M_BAD_JSON {told}"


async def test_levels_left_out(stage: Stage) -> None:
    """What the event does not say has a value all the same."""
    room = await created(stage, power_level_content_override={"events": {}})
    assert await room.state("alice", LEVELS, {}) == "done"

    assert await room.say("bob") == "done"
    assert await room.state("bob", LEVELS, {}) == denied(0, 50)
    assert await room.invite("bob", "carol") == "done"
    assert await room.kick("bob", "carol") == "403 M_FORBIDDEN You cannot kick user <carol>."


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"room_version": "10", "power_level_content_override": {"users": {"@x:y": 100}}},
            "400 M_UNKNOWN Not a valid power_level_content_override: 'users' did not contain <me>",
        ),
        (
            {"room_version": "999"},
            "400 M_UNSUPPORTED_ROOM_VERSION Your homeserver does not support this room version",
        ),
        (
            {"power_level_content_override": {"users": {"<me>": 100}}},
            "400 M_UNKNOWN Creator user <me> must not appear in content.users",
        ),
        ({"power_level_content_override": {"ban": "50"}}, "400 M_BAD_JSON"),
        ({"room_version": 12}, "400 M_BAD_JSON"),
    ],
    ids=["not in the list", "unknown", "creator in the list", "no number", "no text"],
)
async def test_rooms_that_cannot_be_made(stage: Stage, body: dict[str, Any], told: str) -> None:
    """Levels that shut out whoever makes the room, and versions that there are not."""
    alice = await stage.user("alice")
    users = body.get("power_level_content_override", {}).get("users", {})
    if "<me>" in users:
        body = {"power_level_content_override": {"users": {alice.user_id: users["<me>"]}}}
    url = f"{stage.home_url}/_matrix/client/v3/createRoom"

    status, answer = await send("POST", url, token=alice.access_token, body=body)

    said = f"{status} {answer.get('errcode')} {answer.get('error')}"
    assert said.replace(alice.user_id, "<me>").startswith(told)
