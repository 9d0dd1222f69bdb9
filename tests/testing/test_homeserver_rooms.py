from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.testing import MatrixHomeserver, Sent

from .asking import Ask

CLIENT = "/_matrix/client/v3"
ROOM = "!r:example.test"


class TestByMethod:
    """What a test does directly."""

    @pytest.fixture(name="token")
    def _token(self, hs: MatrixHomeserver) -> str:
        return hs.register("alice").access_token

    async def sync(self, ask: Ask, hs: MatrixHomeserver, token: str, query: str = "") -> Any:
        """Sync, and give the answer."""
        return (await ask("GET", f"{hs.url}{CLIENT}/sync{query}", token=token)).json

    async def test_a_message(self, ask: Ask, hs: MatrixHomeserver, token: str) -> None:
        """The first message joins the room; later ones come without the state."""
        event_id = hs.add_message("alice", ROOM, "one")
        first = await self.sync(ask, hs, token)
        hs.add_message("alice", ROOM, "two", sender="@bob:other.test")
        since = f"?since={first['next_batch']}"
        second = await self.sync(ask, hs, token, since)
        full = await self.sync(ask, hs, token, f"{since}&full_state=true")

        (message,) = first["rooms"]["join"][ROOM]["timeline"]["events"]
        assert (event_id, "one") == (message["event_id"], message["content"]["body"])
        assert message["sender"] == "@friend:example.test"
        members = {
            event["state_key"]
            for event in first["rooms"]["join"][ROOM]["state"]["events"]
            if event["type"] == "m.room.member"
        }
        assert {"@friend:example.test", "@alice:example.test"} == members
        (message,) = second["rooms"]["join"][ROOM]["timeline"]["events"]
        assert (message["content"]["body"], message["sender"]) == ("two", "@bob:other.test")
        assert second["rooms"]["join"][ROOM]["state"]["events"] == []
        assert len(full["rooms"]["join"][ROOM]["state"]["events"]) == 5
        quiet = await self.sync(ask, hs, token, f"?since={second['next_batch']}")
        assert "rooms" not in quiet

    async def test_an_invite(self, ask: Ask, hs: MatrixHomeserver, token: str) -> None:
        """An invite is told once to an incremental sync, and until accepted to an initial one."""
        hs.invite("alice", ROOM)
        first = await self.sync(ask, hs, token)
        second = await self.sync(ask, hs, token, f"?since={first['next_batch']}")
        hs.add_message("alice", ROOM, "welcome")
        third = await self.sync(ask, hs, token)

        events = first["rooms"]["invite"][ROOM]["invite_state"]["events"]
        assert events[-1]["content"] == {"membership": "invite"}
        assert "rooms" not in second
        assert list(third["rooms"]) == ["join"]


class TestHttp:
    """What a client does over HTTP."""

    @pytest.mark.parametrize("path", ["/join/{}", "/rooms/{}/join"])
    async def test_join(self, ask: Ask, hs: MatrixHomeserver, path: str) -> None:
        """Joining accepts an invite, and can be done twice."""
        alice = hs.register("alice")
        hs.invite("alice", ROOM)
        url = f"{hs.url}{CLIENT}{path.format(ROOM)}"

        answers = [await ask("POST", url, token=alice.access_token, json={}) for _ in range(2)]
        synced = await ask("GET", f"{hs.url}{CLIENT}/sync", token=alice.access_token)

        assert [answer.json for answer in answers] == [{"room_id": ROOM}] * 2
        assert list(synced.json["rooms"]) == ["join"]

    async def test_join_without_an_invite(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A room that one was not invited to stays closed."""
        alice = hs.register("alice")

        answer = await ask("POST", f"{hs.url}{CLIENT}/join/{ROOM}", token=alice.access_token)

        assert answer.error == (403, "M_FORBIDDEN")

    async def test_send(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A message goes to all who are in the room, once for each transaction."""
        alice, bob = hs.register("alice"), hs.register("bob")
        hs.add_message("alice", ROOM, "hello")
        hs.add_message("bob", ROOM, "hello")
        hs.register("carol")
        hs.add_message("carol", "!other:example.test", "hello")
        content = {"msgtype": "m.text", "body": "answer"}
        url = f"{hs.url}{CLIENT}/rooms/{ROOM}/send/m.room.message/t1"

        answers = [await ask("PUT", url, token=alice.access_token, json=content) for _ in range(2)]
        event_id = answers[0].json["event_id"]
        synced = await ask("GET", f"{hs.url}{CLIENT}/sync", token=bob.access_token)

        assert answers[0].body == answers[1].body
        assert [Sent(alice.user_id, ROOM, "m.room.message", content, event_id)] == hs.sent
        last = synced.json["rooms"]["join"][ROOM]["timeline"]["events"][-1]
        assert (event_id, alice.user_id) == (last["event_id"], last["sender"])

        hs.clear()

        assert hs.sent == []

    async def test_not_in_the_room(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """Whoever is not in a room cannot send to it."""
        alice = hs.register("alice")

        answer = await ask(
            "PUT",
            f"{hs.url}{CLIENT}/rooms/{ROOM}/send/m.room.message/t1",
            token=alice.access_token,
            json={},
        )

        assert answer.error == (403, "M_FORBIDDEN")
