from __future__ import annotations

import time
from typing import Any

import pytest

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer

from .asking import Ask, at_homeserver

CHOICE = "m.identity_server"
ROOM = "!room:example.test"


class TestChoose:
    """A user who picks an identity server elsewhere."""

    async def test_stored_and_told(
        self, ask: Ask, hs: MatrixHomeserver, idserver: MatrixIdentityServer
    ) -> None:
        """A server by itself or by its URL, or none at all; the next sync tells."""
        alice = at_homeserver(ask, hs, "alice")
        since = (await alice.sync())["next_batch"]
        contents = []
        for choice in (idserver, "https://id.example", None):
            hs.choose("alice", choice)
            contents.append(hs.account_data("alice", CHOICE))

        news = (await alice.sync(since))["account_data"]["events"]

        urls = [content["base_url"] for content in contents]
        assert urls == [idserver.url, "https://id.example", None]
        assert news == [{"type": CHOICE, "content": {"base_url": None}}]
        assert hs.writes == []

    async def test_whose(self, hs: MatrixHomeserver) -> None:
        """Somebody who is not registered cannot choose; the error says what to do."""
        with pytest.raises(LookupError, match=r"register\('alice'\) first"):
            hs.choose("alice", None)


class TestPowerLevel:
    """Levels given by whoever made a room."""

    async def test_it_holds(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """Who first spoke in a room has made it; others get the levels that they are given."""
        alice, bob = (at_homeserver(ask, hs, name) for name in ("alice", "bob"))
        hs.add_message("bob", ROOM, "hello", sender="alice")
        path = f"/rooms/{ROOM}/state/m.room.topic"
        topic: dict[str, Any] = {"topic": "Milk"}

        answers = [await bob.put(path, topic), await alice.put(path, topic)]
        hs.set_power_level(ROOM, "bob", 50)
        since = (await bob.sync())["next_batch"]
        answers.append(await bob.put(path, topic))
        hs.set_power_level(ROOM, "bob", 0)
        answers.append(await bob.put(path, topic))

        news = (await bob.sync(since))["rooms"]["join"][ROOM]["timeline"]["events"]
        assert [answer.status for answer in answers] == [403, 200, 200, 403]
        assert news[-1]["content"]["users"] == {bob.user_id: 0}

    async def test_refused(self, hs: MatrixHomeserver) -> None:
        """There is no level above the maker's, and none where there is no room."""
        hs.register("alice")
        hs.add_message("alice", ROOM, "hello", sender="alice")

        with pytest.raises(ValueError, match="is above all levels"):
            hs.set_power_level(ROOM, "alice", 100)
        with pytest.raises(LookupError):
            hs.set_power_level("!no:example.test", "alice", 100)


async def test_events_carry_the_time(ask: Ask, hs: MatrixHomeserver) -> None:
    """A bot can tell by it what was said before it came."""
    alice = at_homeserver(ask, hs, "alice")
    before = int(time.time() * 1000)
    hs.add_message("alice", ROOM, "hello")

    (event,) = (await alice.sync())["rooms"]["join"][ROOM]["timeline"]["events"]

    assert before <= event["origin_server_ts"] <= int(time.time() * 1000) + 1
