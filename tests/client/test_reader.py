"""Reading the choice: one GET for all, and no answer that was overtaken is believed."""

from __future__ import annotations

import asyncio

import pytest

from nio_identity_server import (
    WELL_KNOWN,
    Disabled,
    IdentityServerChanged,
    NotConfirmed,
    Unconfirmed,
)
from nio_identity_server.endpoints.discovery import Ping
from tests.bots import DATA, log_in, world


async def test_a_read_that_is_overtaken_three_times_gives_up() -> None:
    """Something keeps changing the state: the caller is told instead of waiting for ever."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        account = it.server._accounts.current()
        reading = asyncio.create_task(it.server._reader.read(account))
        for count in range(1, 4):
            async with it.homeserver.hold("GET", DATA, stage="answer", times=1) as hold:
                await hold.reached()
                account.version += 1
            assert len(it.reads) == count
        assert await reading == "it kept changing while it was read"


async def test_a_refresh_that_is_overtaken_by_another_change_reads_again() -> None:
    """Nobody can tell which of the two was first."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        async with it.homeserver.hold("GET", DATA, stage="answer", times=1) as hold:
            refreshing = asyncio.create_task(it.server.refresh())
            await hold.reached()
            it.other_client_sets({"base_url": None})
            await it.bot.sync()
        await refreshing
        assert it.server.preference == Disabled()
        assert len(it.reads) == 3


async def test_a_refresh_that_is_overtaken_by_the_same_value_is_enough() -> None:
    """The stream has told meanwhile what was read."""
    async with world() as it:
        it.other_client_picks(it.a)
        await it.bot.sync()
        await it.server.call(Ping())
        it.other_client_sets({"base_url": None})
        async with it.homeserver.hold("GET", DATA, stage="answer", times=1) as hold:
            refreshing = asyncio.create_task(it.server.refresh())
            await hold.reached()
            await it.bot.sync()
        await refreshing
        assert it.server.preference == Disabled()
        assert len(it.reads) == 2


async def test_an_answer_to_another_login_is_not_looked_at() -> None:
    """The user logged in again while the GET was under way: it is read once more."""
    async with world(sync_wait=0.01) as it:
        async with it.homeserver.hold("GET", DATA, stage="answer", times=1) as hold:
            resolving = asyncio.create_task(it.server.resolve())
            await hold.reached()
            it.bot.access_token = it.homeserver.login("alice").access_token
            it.other_client_sets({"base_url": None})
        await resolving
        assert it.server.preference == Disabled()
        assert len(it.reads) == 2


async def test_a_read_for_a_former_user_tells_nothing() -> None:
    """What it found is about somebody else."""
    async with world(sync_wait=0.01) as it:
        it.other_client_picks(it.a)
        async with it.homeserver.hold("GET", DATA, stage="answer", times=1) as hold:
            call = asyncio.create_task(it.server.call(Ping()))
            await hold.reached()
            log_in(it.bot, it.bob)
        with pytest.raises(IdentityServerChanged, match="another user"):
            await call
        assert it.server.preference == Unconfirmed()


async def test_another_user_ends_the_read_of_the_former_one() -> None:
    """Whoever waited for it is told why; nothing goes on behind the new user's back."""
    async with world(sync_wait=0.01) as it, it.homeserver.hold("GET", DATA, times=1) as hold:
        call = asyncio.create_task(it.server.call(Ping()))
        await hold.reached()
        log_in(it.bot, it.bob)
        assert it.server.preference == Unconfirmed()
        with pytest.raises(IdentityServerChanged, match="another user"):
            await call
        await it.homeserver.wait_for_disconnect()


async def test_who_the_user_is_is_asked_again_after_another_login() -> None:
    """The answer belongs to the token that it was asked with."""
    async with world(sync_wait=0.01) as it:
        it.bot.user_id = ""
        async with it.homeserver.hold("GET", "whoami", stage="answer", times=1) as hold:
            asking = asyncio.create_task(it.server._reader.user_id())
            await hold.reached()
            it.bot.access_token = it.bob.access_token
        assert await asking == it.bob.user_id
        assert len(it.homeserver.seen(path="whoami")) == 2


async def test_a_default_that_needs_the_users_name_fails_with_the_reason() -> None:
    """Without the user's id there is no server name to look at."""
    async with world(default=WELL_KNOWN) as it:
        it.bot.user_id = ""
        await it.bot.sync()
        it.homeserver.reject_next(500, "M_UNKNOWN", path="whoami", times=2)
        with pytest.raises(NotConfirmed, match="500"):
            await it.server.resolve()


async def test_a_client_that_has_only_a_token_does_not_show_it() -> None:
    """Whose it is has been asked; a logger of local variables prints the reader."""
    async with world() as it:
        it.bot.user_id = ""
        await it.server.refresh()

        assert it.bot.access_token not in repr(it.server._reader)
