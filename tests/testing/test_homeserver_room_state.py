from __future__ import annotations

import pytest

from nio_identity_server.testing import MatrixHomeserver

from .asking import Ask, Talk, at_homeserver


@pytest.fixture(name="alice")
def _alice(ask: Ask, hs: MatrixHomeserver) -> Talk:
    return at_homeserver(ask, hs, "alice")


async def created(alice: Talk) -> str:
    """Make a room; gives its path."""
    room_id = (await alice.post("/createRoom", {"name": "Tea"})).json["room_id"]
    return f"/rooms/{room_id}"


class TestRead:
    """Reading the state of a room."""

    async def test_all(self, alice: Talk) -> None:
        """All state comes as events."""
        room = await created(alice)

        events = (await alice.get(f"{room}/state")).json

        names = {"type", "state_key", "sender", "content", "event_id", "room_id"}
        assert {event["type"] for event in events} >= {"m.room.create", "m.room.member"}
        assert all(names <= set(event) for event in events)

    async def test_one(self, alice: Talk) -> None:
        """One piece comes as its content, or as an event; an empty state key may be left out."""
        room = await created(alice)

        contents = [(await alice.get(f"{room}/state/m.room.name{end}")).json for end in ("", "/")]
        event = (await alice.get(f"{room}/state/m.room.name?format=event")).json

        assert contents == [{"name": "Tea"}] * 2
        assert (event["content"], event["state_key"]) == ({"name": "Tea"}, "")
        assert (await alice.get(f"{room}/state/m.none")).error == (404, "M_NOT_FOUND")

    async def test_members(self, alice: Talk, hs: MatrixHomeserver) -> None:
        """Whoever has joined is a member, here and elsewhere; whoever is invited is not."""
        room = await created(alice)
        hs.add_message("alice", room.removeprefix("/rooms/"), "hello", sender="@bob:other.test")
        hs.add_message("alice", "!other:example.test", "hello")
        await alice.post(f"{room}/invite", {"user_id": "@carol:example.test"})

        mine = (await alice.get(f"{room}/joined_members")).json["joined"]
        other = (await alice.get("/rooms/!other:example.test/joined_members")).json["joined"]

        assert set(mine) == {alice.user_id}
        assert set(other) == {alice.user_id, "@friend:example.test"}


class TestWrite:
    """Changing the state of a room."""

    async def test_written(self, alice: Talk) -> None:
        """State that is written is read, and told to the members by their syncs."""
        room = await created(alice)
        since = (await alice.sync())["next_batch"]

        first = await alice.put(f"{room}/state/m.room.topic", {"topic": "Milk"})
        second = await alice.put(f"{room}/state/m.x/key", {"n": 1})

        parts = (await alice.sync(since))["rooms"]["join"][room.removeprefix("/rooms/")]
        told = [event["event_id"] for event in parts["timeline"]["events"]]
        assert told == [first.json["event_id"], second.json["event_id"]]
        assert (await alice.get(f"{room}/state/m.room.topic")).json == {"topic": "Milk"}
        assert (await alice.get(f"{room}/state/m.x/key")).json == {"n": 1}

    async def test_emptied(self, alice: Talk) -> None:
        """Empty content is content too."""
        room = await created(alice)
        await alice.put(f"{room}/state/m.room.name", {})

        answer = await alice.get(f"{room}/state/m.room.name")

        assert (answer.status, answer.json) == (200, {})

    async def test_refused(self, alice: Talk) -> None:
        """Content is an object, and memberships are not written here."""
        room = await created(alice)
        path = f"{room}/state/m.room.member/{alice.user_id}"

        assert (await alice.put(f"{room}/state/m.x", [])).error == (400, "M_BAD_JSON")
        assert (await alice.put(path, {"membership": "leave"})).error == (403, "M_FORBIDDEN")


async def test_strangers(ask: Ask, alice: Talk, hs: MatrixHomeserver) -> None:
    """Whoever is not in the room sees nothing of it, and changes nothing."""
    room = await created(alice)
    bob = at_homeserver(ask, hs, "bob")

    answers = [
        await bob.get(f"{room}/state"),
        await bob.get(f"{room}/state/m.room.name"),
        await bob.get(f"{room}/joined_members"),
        await bob.put(f"{room}/state/m.room.name", {}),
        await bob.get("/rooms/!no:example.test/state"),
    ]

    assert [answer.error for answer in answers] == [(403, "M_FORBIDDEN")] * 5


async def test_registered_senders(ask: Ask, alice: Talk, hs: MatrixHomeserver) -> None:
    """A sender who is registered here is in the room, and sees it too."""
    bob = at_homeserver(ask, hs, "bob")
    hs.add_message("alice", "!r:example.test", "hello", sender="bob")
    hs.add_message("alice", "!r:example.test", "hello", sender="bob")

    (parts,) = (await bob.sync())["rooms"]["join"].values()

    assert [event["sender"] for event in parts["timeline"]["events"]][-2:] == [bob.user_id] * 2
    members = (await alice.get("/rooms/!r:example.test/joined_members")).json["joined"]
    assert set(members) == {alice.user_id, bob.user_id}
