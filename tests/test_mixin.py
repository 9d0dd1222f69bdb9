"""What the mixin does to a nio client, and what it leaves alone (design, sections 4 and 7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nio import (
    AsyncClient,
    AsyncClientConfig,
    LoginResponse,
    SyncResponse,
    UnknownAccountDataEvent,
    UnknownBadEvent,
)

from nio_identity_server import (
    Chosen,
    Disabled,
    IdentityDisabled,
    IdentityServerConfig,
    IdentityServerEvent,
    IdentityServerMixin,
    NotSet,
    Unconfirmed,
    Unusable,
    enable,
    parse_base_url,
)
from nio_identity_server.client.identity_server import IdentityServer
from nio_identity_server.client.observer import Observer
from nio_identity_server.endpoints.discovery import Ping
from tests.bots import EVENT, Bot, log_in, world

A = "https://a.example.org"
B = "https://b.example.org"


def chosen(url: str) -> Chosen:
    """The preference for this server."""
    return Chosen(parse_base_url(url))


def response(*events: Any, next_batch: str = "injected") -> SyncResponse:
    """A response that no request asked for, with these global account-data events."""
    return SyncResponse.from_dict(
        {"next_batch": next_batch, "rooms": {}, "account_data": {"events": list(events)}}
    )


def event(content: Any) -> dict[str, Any]:
    """An ``m.identity_server`` event."""
    return {"type": EVENT, "content": content}


# -- the class


def test_the_mixin_must_come_first() -> None:
    """In the wrong order it would see nothing, so the class cannot be made."""
    with pytest.raises(TypeError, match=r"class Wrong\(IdentityServerMixin, AsyncClient\)"):

        class Wrong(AsyncClient, IdentityServerMixin):  # type: ignore[misc]
            pass


def test_a_class_without_a_client_yet_may_be_made() -> None:
    """Another mixin may build on this one; the order is checked when a client joins."""

    class Half(IdentityServerMixin):
        pass

    class Whole(Half, AsyncClient):  # type: ignore[misc]
        pass

    assert isinstance(Whole("https://example.org").identity_server, IdentityServer)


def test_the_keyword_wins_over_the_class() -> None:
    """A configuration for all clients of a class, and one for a single client."""
    of_class, of_one = IdentityServerConfig(default=A), IdentityServerConfig(default=B)

    class Configured(IdentityServerMixin, AsyncClient):  # type: ignore[misc]
        identity_server_config = of_class

    one = Configured("https://example.org", identity_server_config=of_one)
    assert one.identity_server.config is of_one
    assert Configured("https://example.org").identity_server.config is of_class
    assert Configured.identity_server_config is of_class


def test_the_mixin_adds_one_public_name() -> None:
    """``identity_server``, and the configuration that a class may set; nothing else."""
    added = set(dir(Bot)) - set(dir(AsyncClient))
    assert {name for name in added if not name.startswith("_")} == {
        "identity_server",
        "identity_server_config",
    }


def test_a_client_that_never_uses_it_makes_no_state() -> None:
    """Everything is made when it is first needed."""
    bot = Bot("https://example.org")
    assert "_identity_server" not in vars(bot)


async def test_closing_a_client_that_never_used_it_makes_no_state() -> None:
    """close() closes what was opened."""
    bot = Bot("https://example.org")
    await bot.close()
    assert "_identity_server" not in vars(bot)


async def test_a_login_of_a_client_that_never_used_it_makes_no_state() -> None:
    """Only sync responses are looked at."""
    async with world() as it:
        bot = Bot(it.homeserver.url, "alice")
        await bot.login("secret")
        assert "_identity_server" not in vars(bot)
        await bot.close()


# -- a client that exists already


async def test_enable_gives_the_same_to_a_client_that_exists() -> None:
    """The client keeps its class as a base, its attributes and its identity."""
    async with world() as it:
        it.other_client_picks(it.a)
        client = AsyncClient(it.homeserver.url)
        log_in(client, it.alice)
        server = enable(client, it.bot.identity_server_config)
        assert client.identity_server is server
        assert isinstance(client, AsyncClient)
        await client.sync()
        assert await server.call(Ping()) == {}
        await client.close()


async def test_enable_in_the_middle_of_a_sync_sees_its_answer() -> None:
    """The hooks are looked up when the answer has come."""
    async with world(sync_wait=60.0) as it:
        it.other_client_picks(it.a)
        client = AsyncClient(it.homeserver.url)
        log_in(client, it.alice)
        async with it.homeserver.hold("GET", "/sync") as hold:
            sync = asyncio.create_task(client.sync())
            await hold.reached()
            server = enable(client, it.bot.identity_server_config)
        await sync
        assert server.preference == chosen(it.a.url)
        await client.close()


async def test_enable_inside_a_callback_does_not_hold_the_sync_up() -> None:
    """The client has synced: nobody waits for another sync."""
    async with world() as it:
        it.other_client_picks(it.a)
        client = AsyncClient(it.homeserver.url)
        log_in(client, it.alice)
        await client.sync()
        config = IdentityServerConfig(trusted=[it.a.url], sync_wait=60.0)
        async with asyncio.timeout(5):
            resolution = await enable(client, config).resolve()
        assert resolution.base_url == parse_base_url(it.a.url)
        await client.close()


def test_a_configuration_of_another_type_is_refused_at_once() -> None:
    """Not in the log of the first sync."""
    with pytest.raises(TypeError, match="not dict"):
        Bot("https://example.org", identity_server_config={"default": None})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not dict"):
        enable(AsyncClient("https://example.org"), {"default": None})  # type: ignore[arg-type]


def test_enable_again_gives_the_same_object() -> None:
    """With the same configuration, or with none."""
    client = AsyncClient("https://example.org")
    server = enable(client, IdentityServerConfig(default=A))
    assert enable(client) is server
    assert enable(client, IdentityServerConfig(default=A)) is server
    assert len(client.global_account_data_callbacks) == 1


def test_enable_again_with_another_configuration_is_an_error() -> None:
    """Calls may have been made under the first one."""
    client = AsyncClient("https://example.org")
    enable(client)
    with pytest.raises(ValueError, match="configured otherwise"):
        enable(client, IdentityServerConfig(default=A))


def test_enable_takes_a_client_of_the_mixin_too() -> None:
    """It gives what the client has."""
    bot = Bot("https://example.org")
    assert enable(bot) is bot.identity_server


def test_enable_needs_a_nio_client() -> None:
    """Anything else is a TypeError that names it."""
    with pytest.raises(TypeError, match="not object"):
        enable(object())


def test_enabled_clients_of_one_class_share_one_class() -> None:
    """A thousand enabled clients do not make a thousand classes."""
    first, second = AsyncClient("https://example.org"), AsyncClient("https://example.org")
    enable(first)
    enable(second)
    assert type(first) is type(second)
    assert type(first).__mro__[1:3] == (IdentityServerMixin, AsyncClient)


# -- the three nets


async def test_a_user_callback_that_raises_does_not_lose_the_event() -> None:
    """Nio has stored the new token by then; the event would never come again."""
    async with world() as it:
        it.other_client_picks(it.a)
        it.homeserver.add_message(it.alice.user_id, "!room:example.test", "hello")

        async def fail(*_: Any) -> None:
            raise RuntimeError("a bug of the application")

        it.bot.add_event_callback(fail, None)
        with pytest.raises(RuntimeError, match="a bug of the application"):
            await it.bot.sync()
        assert it.server.preference == chosen(it.a.url)
        it.bot.event_callbacks.clear()
        await it.bot.sync()
        assert it.server.preference == chosen(it.a.url)


async def test_a_sync_that_is_cancelled_while_it_is_dispatched_loses_nothing() -> None:
    """wait_for(sync()) with a slow callback is a usual way to write a bot."""
    async with world() as it:
        it.other_client_picks(it.a)
        it.homeserver.add_message(it.alice.user_id, "!room:example.test", "hello")
        reached = asyncio.Event()

        async def wait_for_ever(*_: Any) -> None:
            reached.set()
            await asyncio.Event().wait()

        it.bot.add_event_callback(wait_for_ever, None)
        sync = asyncio.create_task(it.bot.sync())
        await reached.wait()
        sync.cancel()
        await asyncio.wait([sync])
        assert it.server.preference == chosen(it.a.url)


async def test_an_injected_response_is_seen_before_it_is_dispatched() -> None:
    """The second net: receive_response, before super()."""
    bot = Bot("https://example.org")
    seen = []
    bot.add_global_account_data_callback(
        lambda _: seen.append(bot.identity_server.preference), IdentityServerEvent
    )
    await bot.receive_response(response(event({"base_url": A})))
    assert seen == [chosen(A)]


async def test_an_event_that_reaches_callbacks_by_another_way_is_seen() -> None:
    """The third net: a callback that was registered at construction, before everybody's."""
    bot = Bot("https://example.org")
    seen = []
    bot.add_global_account_data_callback(
        lambda _: seen.append(bot.identity_server.preference), UnknownAccountDataEvent
    )
    typed: list[Any] = []
    bot.add_global_account_data_callback(typed.append, IdentityServerEvent)
    await bot._handle_sync(response(event({"base_url": None})))
    assert seen == [Disabled()]
    assert len(typed) == 1


async def test_the_third_net_sees_a_malformed_event_too() -> None:
    """Nio makes an UnknownBadEvent of it, which has no type."""
    bot = Bot("https://example.org")
    await bot._handle_sync(response(event([])))
    assert bot.identity_server.preference == Unusable("the account data is not an object")


async def test_other_account_data_is_left_alone() -> None:
    """Push rules, tags, unknown and malformed events of other types say nothing."""
    bot = Bot("https://example.org")
    others = [
        {"type": "m.direct", "content": {"base_url": A}},
        {"type": "m.direct", "content": []},
        {"type": 5, "content": {}},
        {"content": {"base_url": A}},
    ]
    given = response(*others)
    await bot.receive_response(given)
    await bot._handle_sync(response(*others, next_batch="another"))
    assert bot.identity_server.preference == Unconfirmed()
    assert not any(isinstance(one, IdentityServerEvent) for one in given.account_data_events)


async def test_the_same_response_is_judged_once() -> None:
    """Each net marks what it has judged."""
    async with world() as it:
        it.other_client_picks(it.a)
        first = await it.bot.sync()
        await it.server.call(Ping())
        it.other_client_sets({"base_url": None})
        await it.bot.sync()
        await it.bot.receive_response(first)  # fed in again: it would contradict what is known
        assert it.server.preference == Disabled()


async def test_a_full_state_response_whose_token_did_not_move_is_seen() -> None:
    """Nio skips its dispatch, so a callback would never see it."""
    async with world() as it:
        it.bot.next_batch = "injected"
        await it.bot.receive_response(response(event({"base_url": A})))
        assert it.server.preference == chosen(A)


async def test_the_last_of_several_events_counts() -> None:
    """A response may hold the event twice."""
    bot = Bot("https://example.org")
    await bot.receive_response(response(event({"base_url": A}), event({"base_url": B})))
    assert bot.identity_server.preference == chosen(B)


async def test_an_error_in_a_hook_never_ends_a_sync(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the sync and the application's callbacks go on."""

    def fail(*_: Any) -> None:
        raise RuntimeError("a bug of ours")

    async with world() as it:
        monkeypatch.setattr(Observer, "observe", fail)
        it.other_client_picks(it.a)
        seen: list[Any] = []
        it.bot.add_global_account_data_callback(seen.append, IdentityServerEvent)
        assert isinstance(await it.bot.sync(), SyncResponse)
        await it.bot._handle_sync(response(event({})))
        assert len(seen) == 2
        assert caplog.text.count("could not be looked at") == 2


async def test_a_sync_that_a_hook_failed_on_may_have_held_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was known is read again by the next call: the old server gets nothing more."""

    def fail(*_: Any) -> None:
        raise RuntimeError("a bug of ours")

    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        with monkeypatch.context() as patch:
            patch.setattr(Observer, "observe", fail)
            it.other_client_picks(it.b)
            await it.bot.sync()
        it.a.clear()
        await it.server.call(Ping())

        assert not it.a.raw_bytes
        assert it.server.preference == chosen(it.b.url)


async def test_a_response_that_takes_no_note_is_passed_on() -> None:
    """Another transport than aiohttp's may be underneath; then no change counts as late."""

    class Slotted:
        __slots__ = ()

    class Transport(AsyncClient):  # type: ignore[misc] # nio is untyped
        async def send(self, *_: Any, **__: Any) -> Any:
            """Answer with something that takes no attribute."""
            return Slotted()

    class Odd(IdentityServerMixin, Transport):
        pass

    assert isinstance(await Odd("https://example.org").send("GET", "/"), Slotted)


# -- the typed event


async def test_nio_callbacks_can_be_registered_for_the_typed_event() -> None:
    """IdentityServerEvent is an UnknownAccountDataEvent with another name."""
    async with world() as it:
        it.other_client_picks(it.a)
        seen: list[Any] = []
        unknown: list[Any] = []
        it.bot.add_global_account_data_callback(seen.append, IdentityServerEvent)
        it.bot.add_global_account_data_callback(unknown.append, UnknownAccountDataEvent)
        await it.bot.sync()
        assert [(one.type, one.content) for one in seen] == [(EVENT, {"base_url": it.a.url})]
        assert unknown == seen


async def test_a_malformed_event_stays_what_nio_made_of_it() -> None:
    """It has no content that could be typed."""
    bot = Bot("https://example.org")
    given = response(event("x"))
    await bot.receive_response(given)
    assert [type(one) for one in given.account_data_events] == [UnknownBadEvent]
    assert bot.identity_server.preference == Unusable("the account data is not an object")


# -- whose answer it is


async def test_an_answer_to_a_former_login_is_not_looked_at() -> None:
    """Alice's response arrives when bob is logged in already."""
    async with world() as it:
        it.other_client_picks(it.a)
        async with it.homeserver.hold("GET", "/sync", stage="answer") as hold:
            sync = asyncio.create_task(it.bot.sync())
            await hold.reached()
            log_in(it.bot, it.bob)
        await sync
        assert it.server.preference == Unconfirmed()


async def test_logging_in_again_as_another_user_never_means_absent() -> None:
    """Nio keeps next_batch: the new user's first sync is incremental and proves nothing."""
    async with world(default="c") as it:
        await it.bot.sync()
        await it.server.call(Ping())
        it.other_client_sets({"base_url": None}, it.bob)
        it.bot.user, it.bot.device_id = "bob", "BOBDEVICE"
        assert isinstance(await it.bot.login("secret"), LoginResponse)
        await it.bot.sync()
        it.c.clear()
        with pytest.raises(IdentityDisabled):
            await it.server.call(Ping())
        assert it.spoken_to == ""


async def test_a_login_ends_running_calls_of_the_former_user_at_once() -> None:
    """The login's own response is the moment when it is noticed."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.a.hold() as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            it.bot.user, it.bot.device_id = "bob", "BOBDEVICE"
            await it.bot.login("secret")
            await it.a.wait_for_disconnect()
        assert "another user" in str((await asyncio.gather(call, return_exceptions=True))[0])


async def test_a_soft_logout_and_a_login_as_the_same_user_keep_what_is_known() -> None:
    """State belongs to the user, not to the token."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        it.homeserver.revoke(it.alice.access_token, soft_logout=True)
        await it.bot.sync()
        assert it.bot.access_token == ""
        it.bot.access_token = it.homeserver.login("alice").access_token
        assert it.server.preference == chosen(it.a.url)
        await it.server.call(Ping())
        assert len(it.reads) == 1


# -- what is malformed around it


@pytest.mark.parametrize(
    "broken",
    [{"type": EVENT, "content": None}, {"type": EVENT}, {"type": EVENT, "content": "x"}],
    ids=["null", "missing", "string"],
)
async def test_a_broken_event_means_off(broken: Any) -> None:
    """It is present, so it is not absent."""
    async with world(default="c") as it:
        it.homeserver.replay_sync(it.alice.user_id, [broken])
        await it.bot.sync()
        assert isinstance(it.server.preference, Unusable)


async def test_a_response_that_nio_cannot_read_proves_nothing() -> None:
    """Nio raises TypeError for an event that is a string; the next sync goes on."""
    async with world() as it:
        it.homeserver.replay_sync(it.alice.user_id, ["junk"])
        with pytest.raises(TypeError):
            await it.bot.sync()
        assert it.server.preference == Unconfirmed()
        await it.bot.sync()
        assert it.server.preference == NotSet()


async def test_an_error_status_with_the_body_of_a_sync_proves_no_absence() -> None:
    """A proxy may answer anything."""
    async with world() as it:
        it.homeserver.answer_next(500, b'{"next_batch": "s1", "rooms": {}}', path="/sync")
        await it.bot.sync()
        assert it.server.preference == Unconfirmed()


async def test_a_redirected_sync_is_judged_by_the_request_that_nio_made() -> None:
    """After a redirect the last URL may have lost ``since`` and ``filter``."""
    async with world() as it:
        await it.bot.sync()
        log_in(it.bot, it.bob)
        target = f"{it.homeserver.url}/_matrix/client/v3/sync"
        it.homeserver.redirect_next(target, path="/sync")
        await it.bot.sync()  # what answers is an initial sync; what was asked was not
        assert it.server.preference == Unconfirmed()


async def test_custom_headers_of_the_client_are_sent_to_the_homeserver_only() -> None:
    """A reverse proxy in front of the homeserver may need them."""
    config = AsyncClientConfig(custom_headers={"X-Door": "open sesame"})
    async with world(sync_wait=0.01, nio_config=config) as it:
        it.other_client_picks(it.a)
        await it.server.call(Ping())
        assert it.reads[0].headers["X-Door"] == "open sesame"
        assert b"sesame" not in it.a.raw_bytes
