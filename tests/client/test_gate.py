"""Calls wait until the user's choice is known, and no longer (design, section 4)."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest
from nio import RoomMessageText, SyncResponse

from nio_identity_server import (
    Chosen,
    Disabled,
    IdentityDisabled,
    IdentityServerChanged,
    NoIdentityServer,
    NotConfirmed,
    NotSet,
    Source,
    Unconfirmed,
    Unusable,
    parse_base_url,
)
from nio_identity_server.client import gate
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from tests.bots import EVENT, World, log_in, world


def chosen(url: str) -> Chosen:
    """The preference for this server."""
    return Chosen(parse_base_url(url))


async def test_a_call_before_anything_is_known_sends_nothing_until_a_sync_has_answered() -> None:
    """The call is held while the first sync is under way, and released by its answer."""
    async with world(sync_wait=5.0) as it:
        it.other_client_picks(it.a)
        async with it.homeserver.hold("GET", "/sync") as hold:
            sync = asyncio.create_task(it.bot.sync())
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            await it.bot.whoami()  # a read that had begun would have arrived before this
            assert (it.spoken_to, it.reads, it.server.preference) == ("", [], Unconfirmed())
        await sync
        assert await call == {}
        assert it.spoken_to == "a"


async def test_a_call_without_any_sync_asks_by_get_after_sync_wait() -> None:
    """A bot that never syncs is not held back for ever: it reads the event."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.b)
        assert await it.server.call(Ping()) == {}
        assert (it.spoken_to, len(it.reads)) == ("b", 1)
        assert it.server.preference == chosen(it.b.url)


async def test_many_held_calls_share_one_read() -> None:
    """A thousand calls that wait for the same thing cost one GET."""
    async with world(sync_wait=0.01) as it:
        it.other_client_sets({"base_url": None})
        results = await asyncio.gather(
            *(it.server.call(Ping()) for _ in range(1000)), return_exceptions=True
        )
        assert {type(result) for result in results} == {IdentityDisabled}
        assert len(it.reads) == 1


async def test_one_cancelled_caller_does_not_cancel_the_read_of_the_others() -> None:
    """The shared GET goes on when the caller that began it is cancelled."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        async with it.homeserver.hold("GET", "account_data") as hold:
            first = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            second = asyncio.create_task(it.server.call(Ping()))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait([first])
            assert first.cancelled()
        assert await second == {}
        assert len(it.reads) == 1


async def test_after_a_sync_that_proves_nothing_calls_ask_at_once() -> None:
    """A resumed token answers the sync without account data; waiting on would not help."""
    async with world(sync_wait=60.0) as it:
        await it.bot.sync()
        token = it.bot.next_batch
        it.bot.next_batch = ""
        log_in(it.bot, it.bob)
        it.bot.next_batch = token
        await it.bot.sync()
        assert it.server.preference == Unconfirmed()
        with pytest.raises(NoIdentityServer):
            await it.server.call(Ping())
        assert len(it.reads) == 1


async def test_a_call_that_waits_is_released_by_a_sync_that_proves_nothing() -> None:
    """The hiding filter leaves the event out; the call reads it instead of waiting on."""
    async with world(sync_wait=60.0) as it:
        it.other_client_picks(it.a)
        call = asyncio.create_task(it.server.call(Ping()))
        await asyncio.sleep(0)
        await it.bot.sync(sync_filter={"account_data": {"types": []}})
        assert await call == {}
        assert (it.spoken_to, len(it.reads)) == ("a", 1)


async def test_a_failed_sync_releases_waiting_calls_too() -> None:
    """A callback for a SyncError may make a call: the sync that it waits for is its own."""
    async with world(sync_wait=60.0) as it:
        it.other_client_picks(it.a)
        it.homeserver.reject_next(500, "M_UNKNOWN", path="/sync")
        call = asyncio.create_task(it.server.call(Ping()))
        await asyncio.sleep(0)
        await it.bot.sync()
        assert await call == {}


@pytest.mark.parametrize("forever", [False, True], ids=["sync", "sync_forever"])
async def test_a_call_inside_a_callback_of_the_first_sync_does_not_deadlock(forever: bool) -> None:
    """The nets see the event before nio dispatches anything."""
    async with world(sync_wait=60.0) as it:
        it.other_client_picks(it.a)
        it.homeserver.send_to_device(it.alice.user_id, "m.test", {})
        it.homeserver.invite(it.alice.user_id, "!inviting:example.test")
        it.homeserver.add_message(it.alice.user_id, "!room:example.test", "hello")
        replies: asyncio.Queue[Any] = asyncio.Queue()

        async def on_anything(*_: Any) -> None:
            replies.put_nowait(await it.server.call(Ping()))

        it.bot.add_to_device_callback(on_anything, None)
        it.bot.add_event_callback(on_anything, None)
        run = asyncio.create_task(it.bot.sync_forever(1000) if forever else it.bot.sync())
        async with asyncio.timeout(5):
            assert [await replies.get() for _ in range(3)] == [{}] * 3
        run.cancel()
        await asyncio.wait([run])


async def test_a_call_inside_a_callback_with_a_resumed_token_does_not_deadlock() -> None:
    """The first response proves nothing; the call inside its callback asks at once."""
    async with world(sync_wait=60.0) as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        token = it.bot.next_batch
        it.homeserver.add_message(it.alice.user_id, "!room:example.test", "hello")
        restarted = type(it.bot)(
            it.homeserver.url, identity_server_config=it.bot.identity_server_config
        )
        log_in(restarted, it.alice)
        restarted.next_batch = token
        replies = []

        async def on_message(_room: Any, _event: Any) -> None:
            replies.append(await restarted.identity_server.call(GetVersions()))

        restarted.add_event_callback(on_message, RoomMessageText)
        async with asyncio.timeout(5):
            await restarted.sync()
        await restarted.close()
        assert len(replies) == 1


async def test_a_call_inside_a_callback_of_a_replayed_response_is_bounded() -> None:
    """nio-bot replays a stored sync before its first request: the call waits, then asks."""
    async with world(sync_wait=0.05) as it:
        it.homeserver.add_message(it.alice.user_id, "!room:example.test", "hello")
        replayed = await it.bot.sync()
        bot = type(it.bot)(it.homeserver.url, identity_server_config=it.bot.identity_server_config)
        log_in(bot, it.alice)
        refusals = []

        async def on_message(_room: Any, _event: Any) -> None:
            with pytest.raises(NoIdentityServer) as caught:
                await bot.identity_server.call(Ping())
            refusals.append(caught.value)

        bot.add_event_callback(on_message, RoomMessageText)
        replayed.transport_response = None
        async with asyncio.timeout(5):
            await bot._handle_sync(replayed)
        await bot.close()
        assert len(refusals) == 1


@pytest.mark.parametrize(
    ("content", "preference"),
    [
        ({"base_url": None}, Disabled()),
        ({"base_url": ""}, Unusable("base_url in the account data: it is empty")),
        ([], Unusable("the account data is not an object")),
    ],
    ids=["null", "empty", "list"],
)
async def test_off_and_unusable_send_nothing_and_never_use_the_default(
    content: Any, preference: Any
) -> None:
    """Only absence means the default; garbage means off."""
    async with world(default="c") as it:
        it.other_client_sets(content)
        await it.bot.sync()
        with pytest.raises(IdentityDisabled):
            await it.server.call(Ping())
        assert it.spoken_to == ""
        assert it.server.preference == preference


@pytest.mark.parametrize("content", [None, {}, {"other": 1}], ids=["absent", "{}", "other key"])
async def test_absence_means_the_default(content: Any) -> None:
    """No event, or no base_url in it: the client's default."""
    async with world(default="c") as it:
        if content is not None:
            it.other_client_sets(content)
        await it.bot.sync()
        assert await it.server.call(Ping()) == {}
        assert it.spoken_to == "c"
        assert it.server.preference == NotSet()
        assert it.server.resolution.source is Source.DEFAULT
        assert it.writes == []


async def test_a_whole_initial_sync_is_read_again_once_by_the_first_call() -> None:
    """Synapse answers a repeated initial sync from a cache: what it says is provisional."""
    async with world() as it:
        it.other_client_picks(it.a)
        it.homeserver.cache_initial_sync = True
        await it.bot.sync()
        restarted = type(it.bot)(
            it.homeserver.url, identity_server_config=it.bot.identity_server_config
        )
        log_in(restarted, it.alice)
        it.other_client_picks(it.b)
        await restarted.sync()
        assert restarted.identity_server.preference == chosen(it.a.url)  # what the cache says
        for _ in range(3):
            await restarted.identity_server.call(Ping())
        await restarted.close()
        assert it.spoken_to == "b"
        assert len(it.reads) == 1


async def test_old_changes_behind_a_cached_initial_sync_are_not_believed() -> None:
    """The cache replays incremental responses one by one; a read has overtaken them."""
    async with world() as it:
        it.other_client_picks(it.a)
        it.homeserver.cache_initial_sync = True
        await it.bot.sync()
        it.other_client_sets({"base_url": None})
        await it.bot.sync()  # now both responses are cached
        restarted = type(it.bot)(
            it.homeserver.url, identity_server_config=it.bot.identity_server_config
        )
        log_in(restarted, it.alice)
        it.other_client_picks(it.b)
        await restarted.sync()
        await restarted.identity_server.call(Ping())
        await restarted.sync()  # the cached response: null
        assert restarted.identity_server.preference == Unconfirmed()
        await restarted.identity_server.call(Ping())
        await restarted.close()
        assert it.spoken_to == "b"


async def test_if_the_second_look_fails_the_words_of_the_sync_stand(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A homeserver that answers syncs but not the GET does not stop the bot; it is logged."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        it.homeserver.reject_next(500, "M_UNKNOWN", path="account_data")
        with caplog.at_level(logging.WARNING, "nio_identity_server"):
            await it.server.call(Ping())
        assert it.spoken_to == "a"
        assert "could not be confirmed" in caplog.text
        assert {record.name for record in caplog.records} == {"nio_identity_server"}
        await it.server.call(Ping())
        assert len(it.reads) == 1


def test_the_second_look_has_five_seconds() -> None:
    """That long a homeserver that hangs may delay the first call, as the manual says."""
    assert gate.PROVISIONAL_READ == 5.0


async def test_the_second_look_does_not_wait_longer_than_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A GET that hangs delays the first call by the limit, not by the homeserver's whole time."""
    monkeypatch.setattr(gate, "PROVISIONAL_READ", 0.05)
    async with world(homeserver_timeout=60.0) as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.homeserver.hold("GET", "account_data"):
            async with asyncio.timeout(5):
                await it.server.call(Ping())
        assert it.spoken_to == "a"


@pytest.mark.parametrize(
    "fail",
    [
        {"status": 404, "body": b"<html>", "content_type": "text/html"},
        {"status": 404, "body": b'{"errcode": "M_UNRECOGNIZED"}'},
        {"status": 200, "body": b"<html>it works</html>"},
        {"status": 200, "body": b""},
        {"status": 502, "body": b"bad gateway"},
        {"status": 401, "body": b'{"errcode": "M_UNKNOWN_TOKEN"}'},
        {"status": 204, "body": b""},
    ],
    ids=lambda fail: f"{fail['status']}-{fail['body'][:12]!r}",
)
async def test_a_read_that_proves_nothing_is_not_taken_for_absence(fail: dict[str, Any]) -> None:
    """Only 404 with M_NOT_FOUND means "not set"; anything else refuses, and says why."""
    async with world(default="c", sync_wait=0.01) as it:
        it.homeserver.answer_next(**fail, path="account_data")
        with pytest.raises(NotConfirmed) as caught:
            await it.server.call(Ping())
        assert it.homeserver.url in str(caught.value)
        assert it.spoken_to == ""
        assert it.server.preference == Unconfirmed()


@pytest.mark.parametrize("value", [b"[]", b"5", b'"x"', b"null"])
async def test_a_read_of_json_that_is_no_object_is_present_and_unusable(value: bytes) -> None:
    """It is an event, so it is not "not set"."""
    async with world(default="c", sync_wait=0.01) as it:
        it.homeserver.answer_next(200, value, path="account_data")
        with pytest.raises(IdentityDisabled):
            await it.server.call(Ping())
        assert it.spoken_to == ""


async def test_a_sync_that_answers_while_the_read_fails_is_enough() -> None:
    """The call goes by whatever proof comes first."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        it.homeserver.reject_next(500, "M_UNKNOWN", path="account_data")
        async with it.homeserver.hold("GET", "account_data", times=1) as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            await it.bot.sync()
        assert await call == {}
        assert it.spoken_to == "a"


async def test_a_read_that_was_overtaken_by_a_sync_is_not_believed() -> None:
    """The answer was made before the change that a sync has delivered meanwhile."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.homeserver.hold("GET", "account_data", stage="answer", times=1) as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            it.other_client_sets({"base_url": None})
            await it.bot.sync()
        with pytest.raises(IdentityDisabled):
            await call
        assert it.spoken_to == ""


async def test_a_change_by_another_client_is_followed() -> None:
    """Incremental syncs are adopted without another look."""
    async with world(default="c") as it:
        await it.bot.sync()
        await it.server.call(Ping())
        for server in (it.a, it.b):
            it.other_client_picks(server)
            await it.bot.sync()
            assert it.server.preference == chosen(server.url)
            await it.server.call(Ping())
        assert it.spoken_to == "abc"
        assert len(it.reads) == 1


@pytest.mark.parametrize("stage", ["arrival", "answer", "body"])
async def test_a_call_in_flight_ends_within_100_ms_of_a_change(stage: Any) -> None:
    """It raises IdentityServerChanged, closes its connection and sends nothing more."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.a.hold(stage=stage) as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            it.other_client_sets({"base_url": None})
            await it.bot.sync()
            began = time.monotonic()
            with pytest.raises(IdentityServerChanged) as caught:
                await call
            assert time.monotonic() - began < 0.1
            await it.a.wait_for_disconnect()
        assert caught.value.server == it.a.url
        assert len(it.a.requests) == 1


async def test_a_doubt_that_ends_with_the_same_value_ends_no_call() -> None:
    """Becoming unconfirmed holds the next request; the running one goes on."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        async with it.a.hold() as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            await it.bot.receive_response(_injected(it, {"base_url": it.b.url}))
            assert it.server.preference == Unconfirmed()
            assert await it.server.refresh() == await it.server.resolve()
        assert await call == {}
        assert it.spoken_to == "a"


async def test_an_injected_response_after_confirmation_raises_doubt_only() -> None:
    """A different value is not adopted: the next call reads; an equal one changes nothing."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        await it.bot.receive_response(_injected(it, {"base_url": it.a.url}))
        assert it.server.preference == chosen(it.a.url)
        await it.bot.receive_response(_injected(it, {"base_url": it.b.url}))
        assert it.server.preference == Unconfirmed()
        await it.server.call(Ping())
        assert (it.spoken_to, len(it.reads)) == ("a", 2)


async def test_an_operation_that_waits_out_a_doubt_ends_if_it_was_justified() -> None:
    """Its next request waits for the read; another value ends it, and nothing more is sent."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        line = (await it.server._session()).line
        it.other_client_picks(it.b)
        async with it.homeserver.hold("GET", "account_data") as hold:
            await it.bot.receive_response(_injected(it, {"base_url": it.b.url}))
            going_on = asyncio.create_task(line.say(Ping()))
            await hold.reached()
        with pytest.raises(IdentityServerChanged, match=it.a.url):
            await going_on
        assert it.spoken_to == ""


async def test_the_gate_lets_no_operation_into_the_next_generation() -> None:
    """Whatever else would stop it: the gate itself does."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        generation = await it.server._gate.enter()
        await it.server._gate.enter_again(generation)
        it.other_client_picks(it.b)
        await it.bot.sync()
        with pytest.raises(IdentityServerChanged, match=it.a.url):
            await it.server._gate.enter_again(generation)


async def test_a_doubt_whose_read_fails_holds_every_call_back() -> None:
    """What was known before the doubt is not used."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        await it.bot.receive_response(_injected(it, {"base_url": None}))
        it.homeserver.drop_next(method="GET", path="account_data", times=None)
        it.a.clear()
        with pytest.raises(NotConfirmed):
            await it.server.call(Ping())
        assert it.spoken_to == ""


async def test_knowledge_expires_when_no_sync_is_watched() -> None:
    """A bot that does not sync, or whose filter hides account data, still notices a null."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        await it.server.call(Ping())
        it.other_client_sets({"base_url": None})
        await it.server.call(Ping())  # known for a while
        account = it.server._accounts.current()
        moment = account.fresh_until
        account.clock = lambda: moment
        with pytest.raises(IdentityDisabled):
            async with asyncio.timeout(5):
                await it.server.call(Ping())
        assert len(it.reads) == 2


async def test_an_idle_sync_keeps_knowledge_fresh() -> None:
    """A sync that would have shown a change proves that there was none."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        account = it.server._accounts.current()
        account.fresh_until = account.clock()
        await it.bot.sync()
        await it.server.call(Ping())
        assert len(it.reads) == 1


async def test_a_change_that_a_former_login_was_told_is_not_lost() -> None:
    """Nio goes on behind a response that is not looked at: what is known is read again."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        async with it.homeserver.hold("GET", "/sync", stage="answer") as hold:
            sync = asyncio.create_task(it.bot.sync(timeout=1000))
            it.other_client_sets({"base_url": None})
            await hold.reached()
            it.bot.access_token = it.homeserver.login("alice").access_token
        await sync
        with pytest.raises(IdentityDisabled):
            await it.server.call(Ping())


async def test_a_change_that_a_filter_hid_is_not_lost() -> None:
    """Later syncs do not show it, so the first that could makes what is known be read again."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        it.other_client_sets({"base_url": None})
        await it.bot.sync(sync_filter={"account_data": {"types": []}})
        await it.bot.sync()
        with pytest.raises(IdentityDisabled):
            await it.server.call(Ping())
        assert len(it.reads) == 2


async def test_one_failed_read_is_logged_once_for_all_who_waited(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not ten thousand times."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        it.homeserver.reject_next(500, "M_UNKNOWN", path="account_data")
        with caplog.at_level(logging.WARNING, "nio_identity_server"):
            await asyncio.gather(*(it.server.call(Ping()) for _ in range(50)))
        assert caplog.text.count("could not be confirmed") == 1


async def test_the_second_look_joins_a_longer_read_for_its_own_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A read that somebody else began may take longer."""
    monkeypatch.setattr(gate, "PROVISIONAL_READ", 0.05)
    async with world(sync_wait=0.01, homeserver_timeout=60.0) as it:
        it.other_client_picks(it.a)
        async with it.homeserver.hold("GET", "account_data") as hold:
            resolving = asyncio.create_task(it.server.resolve())
            await hold.reached()
            await it.bot.sync()
            async with asyncio.timeout(5):
                await it.server.call(Ping())
        await resolving
        assert it.spoken_to == "a"


async def test_another_user_starts_anew_and_ends_what_runs() -> None:
    """Held and running calls of the former user fail; nothing of theirs is used for the new one."""
    async with world(default="c", sync_wait=60.0) as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.a.hold() as hold:
            running = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            log_in(it.bot, it.bob)
            assert it.server.preference == Unconfirmed()
            with pytest.raises(IdentityServerChanged, match="another user"):
                await running
        await it.bot.sync()  # incremental: bob's own choice is not in it
        assert it.server.preference == Unconfirmed()
        await it.server.call(Ping())
        assert it.spoken_to == "ac"


async def test_a_call_held_for_another_user_fails() -> None:
    """It was made for somebody who is no longer logged in."""
    async with world(sync_wait=60.0) as it:
        held = asyncio.create_task(it.server.call(Ping()))
        await asyncio.sleep(0)
        log_in(it.bot, it.bob)
        assert it.server.preference == Unconfirmed()
        with pytest.raises(IdentityServerChanged, match="another user"):
            await held


async def test_an_answer_for_a_former_user_is_not_given_to_the_next() -> None:
    """user_id is compared when the answer arrives, even if nobody has looked meanwhile."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.a.hold(times=1) as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            log_in(it.bot, it.bob)
        with pytest.raises(IdentityServerChanged, match="another user"):
            await call


async def test_a_client_that_does_not_know_its_user_asks_who_it_is() -> None:
    """An access token alone is enough to read and to write."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        it.bot.user_id = ""
        await it.server.call(Ping())
        await it.server.disable()
        assert it.writes == [{"base_url": None}]
        assert it.bot.user_id == ""
        it.bot.user_id = it.alice.user_id  # adoption: nothing starts anew
        assert it.server.preference == Disabled()
        assert len(it.homeserver.seen(path="whoami")) == 1


async def test_a_client_that_is_not_logged_in_says_so() -> None:
    """No request is made, and the message names the reason."""
    async with world(sync_wait=0.01) as it:
        it.bot.user_id = it.bot.access_token = ""
        with pytest.raises(NotConfirmed, match="not logged in"):
            await it.server.call(Ping())


async def test_close_ends_calls_that_are_still_held() -> None:
    """They fail with NotConfirmed instead of reviving connections later."""
    async with world(sync_wait=60.0) as it:
        held = asyncio.create_task(it.server.call(Ping()))
        await asyncio.sleep(0)
        await it.bot.close()
        with pytest.raises(NotConfirmed, match="closed"):
            await held


async def test_close_ends_calls_that_wait_for_a_read() -> None:
    """The read is stopped, and whoever waited for it is told."""
    async with world(sync_wait=0.01) as it, it.homeserver.hold("GET", "account_data") as hold:
        held = asyncio.create_task(it.server.call(Ping()))
        await hold.reached()
        await it.bot.close()
        with pytest.raises(NotConfirmed, match="closed"):
            await held


def test_a_client_may_live_through_several_event_loops() -> None:
    """Nothing is bound to the loop in which it was first used."""

    async def first() -> Any:
        async with world(sync_wait=60.0) as it:
            held = asyncio.create_task(it.server.call(Ping()))
            await asyncio.sleep(0)
            held.cancel()
            await it.bot.client_session.close() if it.bot.client_session else None
            return it.bot

    async def second(bot: Any) -> None:
        async with world(sync_wait=0.01) as it:
            bot.homeserver, bot.client_session = it.homeserver.url, None
            log_in(bot, it.alice)
            it.other_client_sets({"base_url": None})
            bot.identity_server._accounts.current().sync_answered = True
            with pytest.raises(IdentityDisabled):
                await bot.identity_server.call(Ping())
            await bot.close()

    bot = asyncio.run(first())
    asyncio.run(second(bot))


def _injected(it: World, content: Any) -> SyncResponse:
    """A response that nobody asked for, as a framework would replay it."""
    return SyncResponse.from_dict(
        {
            "next_batch": f"injected-{len(it.homeserver.requests)}",
            "rooms": {},
            "account_data": {"events": [{"type": EVENT, "content": content}]},
        }
    )
