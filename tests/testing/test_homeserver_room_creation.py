from __future__ import annotations

import re
from typing import Any

import nio
import pytest

from nio_identity_server.testing import MatrixHomeserver

from .asking import Ask, Talk, at_homeserver


@pytest.fixture(name="alice")
def _alice(ask: Ask, hs: MatrixHomeserver) -> Talk:
    return at_homeserver(ask, hs, "alice")


class TestCreateRoom:
    """Making a room."""

    async def test_state(self, alice: Talk) -> None:
        """What is asked for becomes state, with the creator as its first member."""
        body = {
            "name": "Tea",
            "topic": "Milk",
            "preset": "private_chat",
            "creation_content": {"type": "m.space"},
            "initial_state": [{"type": "m.x", "state_key": "k", "content": {"n": 1}}],
            "power_level_content_override": {"invite": 50},
        }

        room_id = (await alice.post("/createRoom", body)).json["room_id"]

        events = (await alice.get(f"/rooms/{room_id}/state")).json
        state = {(event["type"], event["state_key"]): event["content"] for event in events}
        creation = {"type": "m.space", "room_version": "12"}
        assert re.fullmatch(r"![\w-]{43}", room_id)
        assert state["m.room.create", ""] == creation
        assert state["m.room.member", alice.user_id] == {"membership": "join"}
        assert state["m.room.power_levels", ""]["invite"] == 50
        assert state["m.room.join_rules", ""] == {"join_rule": "invite"}
        assert (state["m.room.name", ""], state["m.x", "k"]) == ({"name": "Tea"}, {"n": 1})

    async def test_public(self, ask: Ask, alice: Talk, hs: MatrixHomeserver) -> None:
        """Anybody can join a public room."""
        bob = at_homeserver(ask, hs, "bob")
        public = (await alice.post("/createRoom", {"visibility": "public"})).json["room_id"]
        private = (await alice.post("/createRoom", {})).json["room_id"]

        answers = [await bob.post(f"/join/{room_id}", {}) for room_id in (public, private)]

        assert [answer.status for answer in answers] == [200, 403]

    async def test_invites(self, ask: Ask, alice: Talk, hs: MatrixHomeserver) -> None:
        """Users can be invited at once."""
        bob = at_homeserver(ask, hs, "bob")
        body = {"invite": [bob.user_id], "is_direct": True}

        room_id = (await alice.post("/createRoom", body)).json["room_id"]

        parts = (await bob.sync())["rooms"]["invite"][room_id]
        content = parts["invite_state"]["events"][-1]["content"]
        assert content == {"membership": "invite", "is_direct": True}

    async def test_addresses(self, alice: Talk, hs: MatrixHomeserver) -> None:
        """Addresses are refused, so that no test overlooks them; the request is kept."""
        body: dict[str, Any] = {"invite_3pid": [{"address": "a@x.test"}]}

        refused = await alice.post("/createRoom", body)
        accepted = await alice.post("/createRoom", {"invite_3pid": []})

        (request,) = hs.invite_3pid_requests
        assert (refused.error, accepted.status) == ((500, "M_UNKNOWN"), 200)
        assert body == request.json
        assert "a@x.test" not in repr(request)

        hs.clear()

        assert hs.invite_3pid_requests == []

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"preset": "other"}, (400, "M_BAD_JSON")),
            ({"invite": ["bob"]}, (400, "M_UNKNOWN")),
            ({"initial_state": [{}]}, (500, "M_UNKNOWN")),
        ],
    )
    async def test_refused(self, alice: Talk, body: dict[str, Any], error: tuple[int, str]) -> None:
        """Nonsense is refused."""
        assert error == (await alice.post("/createRoom", body)).error


async def test_with_nio(hs: MatrixHomeserver) -> None:
    """A client of nio makes a room, invites, reads and writes its state, and syncs it."""
    hs.register("alice", "pw")
    client = nio.AsyncClient(hs.url, "alice")
    await client.login("pw")
    created = await client.room_create(name="Tea", is_direct=True, initial_state=[])
    room_id = created.room_id
    invited = await client.room_invite(room_id, "@bob:example.test")
    put = await client.room_put_state(room_id, "m.x", {"n": 1}, "k")
    got = await client.room_get_state_event(room_id, "m.x", "k")
    members = await client.joined_members(room_id)
    await client.sync()
    room = client.rooms[room_id]
    await client.close()

    assert nio.RoomInviteResponse is type(invited)
    assert nio.RoomPutStateResponse is type(put)
    assert got.content == {"n": 1}
    assert [member.user_id for member in members.members] == ["@alice:example.test"]
    assert (room.name, set(room.invited_users)) == ("Tea", {"@bob:example.test"})
