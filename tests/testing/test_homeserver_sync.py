from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from nio_identity_server.testing import Account, MatrixHomeserver

from .asking import Ask

TYPE = "m.identity_server"


class Syncing:
    """Asks for syncs of one device."""

    def __init__(self, ask: Ask, hs: MatrixHomeserver, account: Account) -> None:
        self._ask = ask
        self._url = f"{hs.url}/_matrix/client/v3/sync"
        self._token = account.access_token

    async def raw(self, **query: str) -> tuple[int, bytes]:
        """Sync, and give status and body."""
        answer = await self._ask("GET", f"{self._url}?{urlencode(query)}", token=self._token)
        return answer.status, answer.body

    async def __call__(self, **query: str) -> dict[str, Any]:
        """Sync, and give the answer."""
        status, body = await self.raw(**query)
        assert status == 200
        answer: dict[str, Any] = json.loads(body)
        return answer


def types(answer: dict[str, Any]) -> list[str]:
    """Give the types of the account data in a sync."""
    return [event["type"] for event in answer.get("account_data", {}).get("events", [])]


def event(content: Any, event_type: str = TYPE) -> dict[str, Any]:
    """Give an account-data event."""
    return {"type": event_type, "content": content}


@pytest.fixture(name="sync")
def _sync(ask: Ask, hs: MatrixHomeserver) -> Syncing:
    return Syncing(ask, hs, hs.register("alice"))


class TestAccountData:
    """Account data in a sync."""

    async def test_an_initial_sync_has_all(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """All types, push rules too, even if nothing was ever set."""
        empty = await sync()
        hs.set_account_data("alice", TYPE, {"base_url": None})

        answer = await sync()

        assert types(empty) == ["m.push_rules"]
        assert event({"base_url": None}) in answer["account_data"]["events"]
        assert types(answer) == ["m.push_rules", TYPE]
        assert answer["device_one_time_keys_count"] == {"signed_curve25519": 0}

    async def test_an_incremental_sync_has_changes(
        self, sync: Syncing, hs: MatrixHomeserver
    ) -> None:
        """Only what changed since; the same content again is a change; the last one stands."""
        hs.set_account_data("alice", TYPE, {"x": 1})
        first = await sync()
        none = await sync(since=first["next_batch"])
        hs.set_account_data("alice", TYPE, {"x": 1})
        again = await sync(since=first["next_batch"])
        hs.set_account_data("alice", TYPE, {"x": 2})
        hs.set_account_data("alice", TYPE, {"x": 3})
        last = await sync(since=again["next_batch"])

        assert "account_data" not in none
        assert first["next_batch"] == none["next_batch"]
        assert [event({"x": 1})] == again["account_data"]["events"]
        assert [event({"x": 3})] == last["account_data"]["events"]

    async def test_full_state_has_all(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """With full_state, everything comes again, and at once."""
        hs.set_account_data("alice", TYPE, {"x": 1})
        since = (await sync())["next_batch"]

        answer = await sync(since=since, full_state="true", timeout="60000")

        assert types(answer) == ["m.push_rules", TYPE]

    async def test_deleted(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """A deletion is told once as an empty object, and then no more."""
        hs.set_account_data("alice", TYPE, {"x": 1})
        since = (await sync())["next_batch"]
        hs.delete_account_data("alice", TYPE)

        told = await sync(since=since)

        assert [event({})] == told["account_data"]["events"]
        assert types(await sync()) == ["m.push_rules"]
        assert types(await sync(since=told["next_batch"])) == []

    async def test_any_event(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """A sync can be made to tell a broken event, while GET tells the content."""
        hs.set_account_data("alice", TYPE, {"x": 1}, event=[TYPE])

        assert [TYPE] in (await sync())["account_data"]["events"]
        assert hs.account_data("alice", TYPE) == {"x": 1}

    async def test_each_user_sees_their_own(
        self, ask: Ask, sync: Syncing, hs: MatrixHomeserver
    ) -> None:
        """Other users' account data is not told, and does not end a long poll."""
        bob = Syncing(ask, hs, hs.register("bob"))
        since = (await sync())["next_batch"]
        waiting = asyncio.create_task(sync(since=since, timeout="60000"))
        await hs.wait_for(path="/sync", count=2)

        hs.set_account_data("bob", TYPE, {"x": 1})
        await bob()

        assert not waiting.done()

        hs.set_account_data("alice", "m.own", {})

        assert types(await waiting) == ["m.own"]


class TestWaiting:
    """Long polls."""

    async def test_a_change_ends_a_long_poll(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """A long poll is answered as soon as there is something to tell."""
        since = (await sync())["next_batch"]
        waiting = asyncio.create_task(sync(since=since, timeout="60000"))
        await hs.wait_for(path="/sync", count=2)

        hs.set_account_data("alice", TYPE, {"x": 1})

        async with asyncio.timeout(5):
            answer = await waiting
        assert [event({"x": 1})] == answer["account_data"]["events"]
        assert since != answer["next_batch"]

    async def test_nothing_happens(self, sync: Syncing) -> None:
        """After the timeout the answer is empty, and moves nothing on."""
        since = (await sync())["next_batch"]

        answer = await sync(since=since, timeout="10")

        assert since == answer.pop("next_batch")
        assert answer == {
            "device_one_time_keys_count": {"signed_curve25519": 0},
            "device_unused_fallback_key_types": [],
        }

    async def test_an_initial_sync_does_not_wait(self, sync: Syncing) -> None:
        """Without a since there is nothing to wait for."""
        hiding = json.dumps({"account_data": {"types": []}})

        async with asyncio.timeout(5):
            answer = await sync(timeout="60000", filter=hiding)

        assert types(answer) == []


class TestRefused:
    """Questions that are refused."""

    @pytest.mark.parametrize(
        ("query", "errcode"),
        [
            ({"since": "garbage"}, "M_UNKNOWN"),
            ({"since": "s"}, "M_UNKNOWN"),
            ({"filter": "7"}, "M_INVALID_PARAM"),
            ({"filter": "{"}, "M_NOT_JSON"),
            ({"filter": '{"account_data": 5}'}, "M_UNKNOWN"),
            ({"filter": '{"room": 5}'}, "M_UNKNOWN"),
            ({"timeout": "soon"}, "M_INVALID_PARAM"),
            ({"full_state": "maybe"}, "M_INVALID_PARAM"),
        ],
    )
    async def test_bad_questions(self, sync: Syncing, query: dict[str, str], errcode: str) -> None:
        """Garbage in since, filter or timeout is refused."""
        status, body = await sync.raw(**query)

        assert (400, errcode) == (status, json.loads(body)["errcode"])

    async def test_without_a_token(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A sync needs a token."""
        answer = await ask("GET", f"{hs.url}/_matrix/client/v3/sync")

        assert answer.error == (401, "M_MISSING_TOKEN")


class TestCache:
    """The cache of sync responses."""

    async def test_the_same_question_gets_the_same_answer(
        self, ask: Ask, sync: Syncing, hs: MatrixHomeserver
    ) -> None:
        """History repeats itself, step by step; another question or device gets the truth."""
        hs.cache_initial_sync = True
        first = await sync.raw()
        since = json.loads(first[1])["next_batch"]
        hs.set_account_data("alice", TYPE, {"x": 1})
        second = await sync.raw(since=since)
        hs.set_account_data("alice", TYPE, {"x": 2})

        assert hs.cache_initial_sync
        assert first == await sync.raw()
        assert second == await sync.raw(since=since)
        assert event({"x": 2}) in (await sync(timeout="1"))["account_data"]["events"]
        other = Syncing(ask, hs, hs.login("alice"))
        assert event({"x": 2}) in (await other())["account_data"]["events"]

        hs.cache_initial_sync = False

        assert first != await sync.raw()

    async def test_standing_still_is_not_cached(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """An answer that moves nothing on is not repeated."""
        hs.cache_initial_sync = True
        since = (await sync())["next_batch"]
        await sync(since=since)
        hs.set_account_data("alice", TYPE, {"x": 1})

        assert types(await sync(since=since)) == [TYPE]


class TestReplay:
    """Streams that lag or lie."""

    async def test_stale_events_come_before_the_true_ones(
        self, sync: Syncing, hs: MatrixHomeserver
    ) -> None:
        """A replay is told once, whatever it holds, and moves the stream on."""
        since = (await sync())["next_batch"]
        hs.set_account_data("alice", TYPE, {"x": 2})
        hs.replay_sync("alice", [event({"x": 1}), None, "broken"])

        answer = await sync(since=since)

        assert [event({"x": 1}), None, "broken", event({"x": 2})] == answer["account_data"][
            "events"
        ]
        assert types(await sync(since=answer["next_batch"])) == []

    async def test_instead_of_the_true_ones(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """A replay can stand in place of the truth, in an initial sync too."""
        hs.set_account_data("alice", TYPE, {"x": 2})
        hs.replay_sync("alice", [event({"x": 1})], instead=True)

        answer = await sync()

        assert [event({"x": 1})] == answer["account_data"]["events"]
        assert types(await sync()) == ["m.push_rules", TYPE]

    async def test_a_long_poll_is_answered(self, sync: Syncing, hs: MatrixHomeserver) -> None:
        """A replay ends a long poll."""
        since = (await sync())["next_batch"]
        waiting = asyncio.create_task(sync(since=since, timeout="60000"))
        await hs.wait_for(path="/sync", count=2)

        hs.replay_sync("alice", [event({"x": 1})])

        assert [event({"x": 1})] == (await waiting)["account_data"]["events"]


class TestDevices:
    """Messages to devices."""

    async def test_messages_until_they_are_read(
        self, ask: Ask, sync: Syncing, hs: MatrixHomeserver
    ) -> None:
        """A message is told again until a since behind it confirms it, to each device."""
        other = Syncing(ask, hs, hs.login("alice"))
        hs.register("bob")
        hs.send_to_device("alice", "m.x", {"n": 1})
        hs.send_to_device("bob", "m.x", {"n": 2})
        expected = [{"type": "m.x", "content": {"n": 1}, "sender": "@friend:example.test"}]

        first = await sync()
        again = await sync()
        await sync(since=first["next_batch"])
        read = await sync()

        assert expected == first["to_device"]["events"] == again["to_device"]["events"]
        assert "to_device" not in read
        assert expected == (await other())["to_device"]["events"]
