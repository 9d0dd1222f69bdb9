"""Choosing and looking: the object that users hold (design, sections 5 and 7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nio_identity_server import (
    BadResponse,
    CannotConnect,
    Change,
    Chosen,
    Disabled,
    ForbiddenAddress,
    HomeserverError,
    IdentityDisabled,
    IdentityServerChanged,
    InvalidBaseUrl,
    MatrixError,
    NotConfirmed,
    NotSet,
    OutcomeUnknown,
    Resolution,
    Source,
    Unconfirmed,
    Witness,
    parse_base_url,
)
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.endpoints.homeserver import GetTokenOwner
from nio_identity_server.testing import MatrixIdentityServer
from tests.bots import DATA, World, log_in, world


def chosen(server: MatrixIdentityServer) -> Chosen:
    """The preference for this server."""
    return Chosen(parse_base_url(server.url))


def listen(it: World) -> list[Change]:
    """Collect the changes that the bot is told of."""
    changes: list[Change] = []
    it.server.on_change(changes.append)
    return changes


async def turns(count: int = 5) -> None:
    """Let tasks that are ready run."""
    for _ in range(count):
        await asyncio.sleep(0)


# -- set, disable, reset


async def test_set_asks_the_server_then_writes_then_adopts() -> None:
    """The order: ping, PUT; and the next call goes to the new server."""
    async with world(default="c") as it:
        await it.bot.sync()
        await it.server.set(it.a.url + "/")
        assert it.writes == [{"base_url": it.a.url}]
        assert it.server.preference == chosen(it.a)
        assert [request.path for request in it.a.requests] == ["/_matrix/identity/v2"]
        await it.server.call(GetVersions())
        assert it.spoken_to == "a"


async def test_disable_writes_null_and_reset_writes_an_empty_object() -> None:
    """``{}`` is "no choice", which is not the same as ``null``."""
    async with world(default="c") as it:
        await it.server.disable()
        assert it.server.preference == Disabled()
        with pytest.raises(IdentityDisabled):
            await it.server.call(Ping())
        await it.server.reset()
        assert it.server.preference == NotSet()
        await it.server.call(Ping())
        assert it.writes == [{"base_url": None}, {}]
        assert it.spoken_to == "c"


async def test_the_default_is_never_written() -> None:
    """Not by using it, not by looking at it, not by syncing."""
    async with world(default="c") as it:
        await it.bot.sync()
        await it.server.call(Ping())
        await it.server.refresh()
        await it.bot.sync()
        assert it.writes == []


async def test_set_waits_until_it_is_known_what_was_chosen() -> None:
    """Even the question "are you one?" is a request to an identity server."""
    async with world(sync_wait=60.0) as it:
        setting = asyncio.create_task(it.server.set(it.a.url))
        await turns()
        assert it.spoken_to == ""
        await it.bot.sync()
        await setting
        assert it.server.preference == chosen(it.a)


async def test_set_works_while_identity_servers_are_off() -> None:
    """It is the way to switch them on again."""
    async with world() as it:
        it.other_client_sets({"base_url": None})
        await it.bot.sync()
        await it.server.set(it.b.url)
        assert await it.server.call(Ping()) == {}


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", InvalidBaseUrl),
        ("https://user:secret@id.example.org", InvalidBaseUrl),
        ("http://id.example.org", InvalidBaseUrl),
        ("https://127.0.0.1", ForbiddenAddress),
        ("https://[::1]", ForbiddenAddress),
        ("https://169.254.169.254", ForbiddenAddress),
    ],
)
async def test_set_refuses_what_could_never_be_used(url: str, error: type[Exception]) -> None:
    """Nothing is asked and nothing is written."""
    async with world() as it:
        await it.bot.sync()
        with pytest.raises(error) as caught:
            await it.server.set(url)
        assert "secret" not in str(caught.value)
        assert it.writes == []


async def test_a_bot_pinned_to_trusted_servers_cannot_choose_or_use_another() -> None:
    """only_trusted holds for set, for check and for what other clients pick."""
    async with world(only_trusted=True) as it:
        it.other_client_sets({"base_url": "https://elsewhere.example.org"})
        await it.bot.sync()
        for attempt in (
            it.server.call(Ping()),
            it.server.set("https://elsewhere.example.org"),
            it.server.check("https://elsewhere.example.org"),
        ):
            with pytest.raises(ForbiddenAddress, match=r"elsewhere\.example\.org"):
                await attempt
        await it.server.set(it.a.url)
        assert await it.server.call(Ping()) == {}


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (lambda server: server.answer_next(404, b"<html>", content_type="text/html"), MatrixError),
        (lambda server: server.answer_next(200, b"<html>it works"), BadResponse),
        (lambda server: server.answer_next(200, b"[]"), BadResponse),
        (lambda server: server.redirect_next("https://elsewhere.example.org"), BadResponse),
        (lambda server: server.drop_next(times=None), CannotConnect),
    ],
    ids=["404 page", "web page", "list", "redirect", "dropped"],
)
async def test_set_writes_nothing_if_the_server_is_no_identity_server(
    trouble: Any, error: type[Exception]
) -> None:
    """The error names the server; the old choice stays."""
    async with world() as it:
        it.other_client_picks(it.b)
        await it.bot.sync()
        trouble(it.a)
        with pytest.raises(error, match=it.a.url):
            await it.server.set(it.a.url)
        assert it.writes == []
        assert it.server.preference == chosen(it.b)


@pytest.mark.parametrize(
    "refuse",
    [
        lambda hs: hs.reject_next(403, "M_FORBIDDEN", method="PUT"),
        lambda hs: hs.answer_next(404, b"<html>", content_type="text/html", method="PUT"),
        lambda hs: hs.reject_next(400, "M_BAD_JSON", method="PUT"),
        lambda hs: hs.reject_next(429, "M_LIMIT_EXCEEDED", method="PUT", retry_after_ms=10**9),
    ],
    ids=["403", "404 page", "400", "429"],
)
async def test_a_refused_write_changes_nothing_and_raises(refuse: Any) -> None:
    """Calls go on to the old server, after another look.

    aiohttp repeats a PUT whose answer was lost: what is refused may be the repetition.
    """
    async with world() as it:
        it.other_client_picks(it.b)
        await it.bot.sync()
        await it.server.call(Ping())
        changes = listen(it)
        refuse(it.homeserver)
        with pytest.raises(HomeserverError) as caught:
            await it.server.disable()
        assert type(caught.value) is HomeserverError
        assert it.server.preference == chosen(it.b)
        await it.server.call(Ping())
        await it.server.call(Ping())
        assert (len(it.reads), changes) == (2, [])


async def test_a_refusal_tells_how_long_to_wait() -> None:
    """retry_after is in seconds."""
    async with world() as it:
        it.homeserver.reject_next(429, "M_LIMIT_EXCEEDED", method="PUT", retry_after_ms=90_000)
        with pytest.raises(HomeserverError) as caught:
            await it.server.disable()
        assert caught.value.retry_after == 90.0


@pytest.mark.parametrize("stored", [False, True])
async def test_a_redirected_write_changes_nothing_but_is_looked_at_again(stored: bool) -> None:
    """Nio follows redirects, so the value may have been stored behind one after all."""
    async with world() as it:
        it.other_client_picks(it.b)
        await it.bot.sync()
        await it.server.call(Ping())
        target = f"{it.homeserver.url}/{'_matrix/client/v3' if stored else 'nowhere'}/user/"
        target += f"{it.alice.user_id}/account_data/m.identity_server"
        it.homeserver.redirect_next(target, method="PUT")
        with pytest.raises(HomeserverError, match="redirects"):
            await it.server.disable()
        assert it.server.preference == chosen(it.b)
        if stored:
            with pytest.raises(IdentityDisabled):
                await it.server.call(Ping())
        else:
            await it.server.call(Ping())


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize(
    "trouble",
    [
        lambda hs, stored: (hs.lose_next if stored else hs.drop_next)(method="PUT", times=None),
        lambda hs, stored: (
            hs.cut_next(method="PUT")
            if stored
            else hs.answer_next(502, b"<html>bad gateway", method="PUT")
        ),
    ],
    ids=["closed", "cut or 502"],
)
async def test_a_write_whose_end_is_unknown_leaves_the_choice_unconfirmed(
    trouble: Any, stored: bool
) -> None:
    """It raises, reports no change, and the next call reads what came of it."""
    async with world() as it:
        it.other_client_picks(it.b)
        await it.bot.sync()
        await it.server.call(Ping())
        changes = listen(it)
        trouble(it.homeserver, stored)
        with pytest.raises(OutcomeUnknown, match=it.homeserver.url):
            await it.server.disable()
        await turns()
        assert (it.server.preference, changes) == (Unconfirmed(), [])
        it.homeserver.clear_faults()
        if stored:
            with pytest.raises(IdentityDisabled):
                await it.server.call(Ping())
            await turns()
            assert changes == [Change(chosen(it.b), Disabled(), Witness.READ, own=False)]
        else:
            await it.server.call(Ping())
            assert it.server.preference == chosen(it.b)


@pytest.mark.parametrize("status", [201, 202, 408, 500, 502, 503, 504])
async def test_nothing_but_200_confirms_a_write(status: int) -> None:
    """Not even with the body of a success."""
    async with world(default="a") as it:
        await it.bot.sync()
        it.homeserver.answer_next(status, b"{}", method="PUT")
        with pytest.raises(OutcomeUnknown, match=f"HTTP {status}"):
            await it.server.disable()
        await it.server.call(Ping())
        assert it.server.preference == NotSet()


async def test_a_write_that_takes_too_long_is_unknown() -> None:
    """The homeserver's time limit covers the whole request."""
    async with world(homeserver_timeout=0.05) as it, it.homeserver.hold("PUT"):
        with pytest.raises(OutcomeUnknown, match="longer than allowed"):
            await it.server.disable()


@pytest.mark.parametrize("stage", ["arrival", "answer"])
async def test_a_cancelled_write_is_unknown(stage: Any) -> None:
    """CancelledError comes out, the choice is read again, and the next write may go on."""
    async with world() as it:
        it.other_client_picks(it.b)
        await it.bot.sync()
        await it.server.call(Ping())
        async with it.homeserver.hold("PUT", stage=stage, times=1) as hold:
            write = asyncio.create_task(it.server.disable())
            await hold.reached()
            write.cancel()
            with pytest.raises(asyncio.CancelledError):
                await write
            assert it.server.preference == Unconfirmed()
            resolution = await it.server.resolve()
        expected = Source.ACCOUNT_DATA
        assert resolution.source is expected
        assert it.server.preference == (Disabled() if stage == "answer" else chosen(it.b))


async def test_a_write_that_is_cancelled_before_its_turn_changes_nothing() -> None:
    """Nothing was sent for it."""
    async with world() as it:
        async with it.homeserver.hold("PUT") as hold:
            first = asyncio.create_task(it.server.disable())
            await hold.reached()
            second = asyncio.create_task(it.server.reset())
            await turns()
            second.cancel()
            await asyncio.wait([second])
        await first
        assert it.writes == [{"base_url": None}]
        assert it.server.preference == Disabled()


async def test_writes_are_serialised_in_order() -> None:
    """The second PUT is sent when the first has been answered."""
    async with world() as it:
        await it.bot.sync()
        async with it.homeserver.hold("PUT", times=1) as hold:
            first = asyncio.create_task(it.server.disable())
            await hold.reached()
            others = [asyncio.create_task(it.server.reset()) for _ in range(3)]
            await turns()
            assert len(it.homeserver.seen("PUT")) == 1
        await asyncio.gather(first, *others)
        assert it.writes == [{"base_url": None}, {}, {}, {}]
        assert it.server.preference == NotSet()


async def test_calls_wait_while_a_write_is_under_way() -> None:
    """They go where the write leads, not where the old choice led."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.homeserver.hold("PUT") as hold:
            write = asyncio.create_task(it.server.set(it.b.url))
            await hold.reached()
            it.b.clear()
            call = asyncio.create_task(it.server.call(GetVersions()))
            await turns()
            assert it.spoken_to == ""
        await write
        await call
        assert it.a.requests == []
        assert len(it.b.seen(path="versions")) == 1


async def test_a_call_in_flight_ends_when_we_choose_another_server() -> None:
    """It belonged to the server that was left."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.a.hold(times=1) as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            await it.server.set(it.b.url)
            with pytest.raises(IdentityServerChanged, match=it.a.url):
                await call


async def test_choosing_the_same_server_again_ends_nothing() -> None:
    """It is written, but the generation goes on and no change is reported."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        changes = listen(it)
        async with it.a.hold(path="versions") as hold:
            call = asyncio.create_task(it.server.call(GetVersions()))
            await hold.reached()
            await it.server.set(it.a.url)
        await call
        assert it.writes == [{"base_url": it.a.url}]
        assert changes == []


async def test_another_user_who_logs_in_while_the_server_is_asked_gets_nothing_written() -> None:
    """The pick was made for the user who was logged in when it began."""
    async with world() as it:
        await it.bot.sync()
        async with it.a.hold(times=1) as hold:
            pick = asyncio.create_task(it.server.set(it.a.url))
            await hold.reached()
            log_in(it.bot, it.bob)
        with pytest.raises(IdentityServerChanged, match="another user"):
            await pick
        assert it.writes == []


async def test_another_user_who_logs_in_during_the_write_does_not_adopt_it() -> None:
    """The value was stored for the former user; the new one is unconfirmed."""
    async with world() as it:
        async with it.homeserver.hold("PUT") as hold:
            write = asyncio.create_task(it.server.disable())
            await hold.reached()
            log_in(it.bot, it.bob)
        with pytest.raises(IdentityServerChanged, match="another user"):
            await write
        assert it.server.preference == Unconfirmed()


async def test_a_write_that_waits_its_turn_ends_when_another_user_logs_in() -> None:
    """Its PUT is never sent."""
    async with world() as it:
        async with it.homeserver.hold("PUT") as hold:
            first = asyncio.create_task(it.server.disable())
            await hold.reached()
            second = asyncio.create_task(it.server.reset())
            await turns()
            log_in(it.bot, it.bob)
            assert it.server.preference == Unconfirmed()
            with pytest.raises(IdentityServerChanged):
                await second
        with pytest.raises(IdentityServerChanged):
            await first
        assert len(it.homeserver.seen("PUT")) == 1


# -- echoes of our own writes


async def test_the_echo_of_our_own_write_is_no_change() -> None:
    """It comes back with the next sync and confirms what is known."""
    async with world() as it:
        await it.bot.sync()
        changes = listen(it)
        await it.server.set(it.a.url)
        await it.bot.sync()
        await turns()
        assert changes == [Change(NotSet(), chosen(it.a), Witness.WRITE, own=True)]
        assert it.server.preference == chosen(it.a)
        it.other_client_picks(it.b)
        await it.bot.sync()
        assert it.server.preference == chosen(it.b)


async def test_an_echo_before_the_answer_to_the_put_is_still_our_own() -> None:
    """Servers with workers may deliver it first."""
    async with world() as it:
        await it.bot.sync()
        changes = listen(it)
        async with it.homeserver.hold("PUT", stage="answer") as hold:
            write = asyncio.create_task(it.server.set(it.a.url))
            await hold.reached()
            await it.bot.sync()
            assert it.server.preference == NotSet()
        await write
        await turns()
        assert changes == [Change(NotSet(), chosen(it.a), Witness.WRITE, own=True)]
        it.other_client_picks(it.b)
        await it.bot.sync()  # the echo has come, so this is adopted
        assert it.server.preference == chosen(it.b)


async def test_a_stale_value_after_our_write_is_not_adopted() -> None:
    """It may be stale or newer: unconfirmed, and the next call reads."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.set(it.b.url)
        it.a.clear()
        stale = {"type": "m.identity_server", "content": {"base_url": it.a.url}}
        it.homeserver.replay_sync(it.alice.user_id, [stale], instead=True)
        await it.bot.sync()
        assert it.server.preference == Unconfirmed()
        await it.server.call(Ping())
        assert it.server.preference == chosen(it.b)
        assert it.a.requests == []


async def test_a_newer_value_after_our_write_is_found_by_the_next_call() -> None:
    """Another client has changed it before our own value came back."""
    async with world() as it:
        await it.bot.sync()
        await it.server.set(it.b.url)
        it.other_client_picks(it.c)
        await it.bot.sync()
        assert it.server.preference == Unconfirmed()
        await it.server.call(GetVersions())
        assert it.server.preference == chosen(it.c)
        assert it.b.seen(path="versions") == []


async def test_a_change_by_another_client_during_our_write_is_not_lost() -> None:
    """Null stops calls at once, whatever is being written; afterwards nobody can tell."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        async with it.a.hold(path="versions") as held:
            call = asyncio.create_task(it.server.call(GetVersions()))
            await held.reached()
            async with it.homeserver.hold("PUT", times=1) as hold:
                write = asyncio.create_task(it.server.set(it.b.url))
                await hold.reached()
                it.other_client_sets({"base_url": None})
                await it.bot.sync()
                with pytest.raises(IdentityServerChanged):
                    await call
            await write
        assert it.server.preference == Unconfirmed()
        await it.server.call(Ping())
        assert it.server.preference == chosen(it.b)


async def test_a_change_during_a_refused_write_is_adopted() -> None:
    """The write never happened; what the sync said did."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        it.homeserver.reject_next(403, method="PUT")
        async with it.homeserver.hold("PUT", times=1) as hold:
            write = asyncio.create_task(it.server.disable())
            await hold.reached()
            it.other_client_sets({"base_url": None})  # the very value that we wanted to write
            await it.bot.sync()
        with pytest.raises(HomeserverError):
            await write
        assert it.server.preference == Disabled()


# -- on_change


async def test_on_change_tells_of_other_clients_changes_once() -> None:
    """Old, new, how it was seen, and that it was not us; not the first thing learnt."""
    async with world() as it:
        changes = listen(it)
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        it.other_client_picks(it.a)
        await it.bot.sync()
        it.other_client_sets({"base_url": None})
        await it.bot.sync()
        await turns()
        assert changes == [Change(chosen(it.a), Disabled(), Witness.CHANGE, own=False)]


async def test_a_listener_may_call_and_even_set() -> None:
    """Listeners run as tasks of their own, after the write has ended."""
    async with world() as it:
        await it.bot.sync()
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def on_change(change: Change) -> None:
            if change.new == chosen(it.a):
                await it.server.set(it.b.url)
            else:
                done.set_result(await it.server.call(Ping()))

        it.server.on_change(on_change)
        await it.server.set(it.a.url)
        assert await asyncio.wait_for(done, 5) == {}
        assert it.server.preference == chosen(it.b)


async def test_a_listener_that_has_ended_hears_nothing() -> None:
    """What on_change returns ends it; ending it twice is no error."""
    async with world() as it:
        changes: list[Change] = []
        end = it.server.on_change(changes.append)
        end()
        end()
        await it.server.disable()
        await turns()
        assert changes == []


async def test_a_doubt_is_settled_at_once_when_somebody_listens() -> None:
    """Nobody has to make a call first to hear of a change."""
    async with world() as it:
        await it.bot.sync()
        heard: asyncio.Queue[Change] = asyncio.Queue()
        await it.server.set(it.a.url)
        it.server.on_change(heard.put_nowait)
        it.other_client_sets({"base_url": None})
        await it.bot.sync()
        change = await asyncio.wait_for(heard.get(), 5)
        assert change == Change(chosen(it.a), Disabled(), Witness.READ, own=False)


# -- refresh, resolve, resolution, check, call


async def test_refresh_reads_now_and_follows() -> None:
    """Even what is confirmed is read again."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        it.other_client_picks(it.b)
        assert await it.server.refresh() == Resolution(
            parse_base_url(it.b.url), Source.ACCOUNT_DATA
        )
        await it.server.call(Ping())
        assert len(it.reads) == 2


async def test_refresh_reads_after_a_read_that_is_under_way() -> None:
    """The answer of a request that began earlier may be older than the call."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        async with it.homeserver.hold("GET", DATA, stage="answer", times=1) as hold:
            resolving = asyncio.create_task(it.server.resolve())
            await hold.reached()
            it.other_client_picks(it.b)
            refreshing = asyncio.create_task(it.server.refresh())
            await turns()
        await resolving
        assert (await refreshing).base_url == parse_base_url(it.b.url)


async def test_a_failed_refresh_keeps_what_is_known() -> None:
    """It raises NotConfirmed, and calls go on."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        it.homeserver.reject_next(500, "M_UNKNOWN", path=DATA)
        with pytest.raises(NotConfirmed):
            await it.server.refresh()
        assert it.server.preference == chosen(it.a)
        await it.server.call(Ping())


async def test_refresh_waits_for_a_write() -> None:
    """It would otherwise read what is being replaced."""
    async with world() as it:
        async with it.homeserver.hold("PUT") as hold:
            write = asyncio.create_task(it.server.disable())
            await hold.reached()
            refreshing = asyncio.create_task(it.server.refresh())
            await turns()
            assert it.reads == []
        await write
        assert isinstance((await refreshing).refusal, IdentityDisabled)


async def test_resolve_tells_the_refusal_instead_of_raising_it() -> None:
    """It raises nothing but NotConfirmed."""
    async with world(sync_wait=0.01) as it:
        it.other_client_sets({"base_url": None})
        resolution = await it.server.resolve()
        assert (resolution.base_url, resolution.source) == (None, Source.ACCOUNT_DATA)
        assert isinstance(resolution.refusal, IdentityDisabled)
        assert it.server.resolution == resolution


async def test_resolve_follows_another_user() -> None:
    """It answers for whoever is logged in when it answers."""
    async with world(sync_wait=0.01) as it:
        it.other_client_sets({"base_url": None}, it.bob)
        async with it.homeserver.hold("GET", DATA, times=1) as hold:
            resolving = asyncio.create_task(it.server.resolve())
            await hold.reached()
            log_in(it.bot, it.bob)
        assert isinstance((await resolving).refusal, IdentityDisabled)


async def test_resolution_never_waits() -> None:
    """Before anything is known it says so."""
    async with world() as it:
        resolution = it.server.resolution
        assert (resolution.base_url, resolution.source) == (None, Source.UNCONFIRMED)
        assert isinstance(resolution.refusal, NotConfirmed)


async def test_check_looks_without_becoming_it() -> None:
    """Versions and policies come back; nothing is written, nothing is chosen."""
    async with world() as it:
        it.other_client_picks(it.b)
        await it.bot.sync()
        it.a.require_terms(
            {"privacy_policy": {"version": "1.2", "en": {"name": "P", "url": "https://x.org/p"}}}
        )
        info = await it.server.check(it.a.url)
        assert str(info.base_url) == it.a.url
        assert "v1.1" in info.versions
        assert [policy.name for policy in info.policies] == ["privacy_policy"]
        assert it.server.preference == chosen(it.b)
        assert (it.writes, it.b.requests) == ([], [])


async def test_call_refuses_an_endpoint_of_the_homeserver() -> None:
    """The token and the words for one never go to the other."""
    async with world() as it:
        with pytest.raises(TypeError, match="GetTokenOwner"):
            await it.server.call(GetTokenOwner())
        with pytest.raises(TypeError, match="such as GetVersions"):
            await it.server.call(GetVersions)  # type: ignore[arg-type]


async def test_refresh_tells_about_whoever_is_logged_in_when_it_ends() -> None:
    """Another user who logs in meanwhile is no reason to fail."""
    async with world() as it:
        it.other_client_sets({"base_url": None}, it.bob)
        async with it.homeserver.hold("GET", DATA, times=1) as hold:
            refreshing = asyncio.create_task(it.server.refresh())
            await hold.reached()
            log_in(it.bot, it.bob)
            assert it.server.preference == Unconfirmed()
        assert isinstance((await refreshing).refusal, IdentityDisabled)


async def test_a_failed_refresh_keeps_the_default_too() -> None:
    """What is told and what calls do stay the same."""
    async with world(default="c") as it:
        await it.bot.sync()
        before = await it.server.resolve()
        it.homeserver.reject_next(500, "M_UNKNOWN", path=DATA)
        with pytest.raises(NotConfirmed):
            await it.server.refresh()
        assert it.server.resolution == before
