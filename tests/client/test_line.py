from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from nio_identity_server.client.line import GenerationLine
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.endpoints.homeserver import GetTokenOwner
from nio_identity_server.errors import IdentityServerChanged, MatrixError
from nio_identity_server.secret import Secret
from tests.bots import World, log_in, world

VERSIONS = "identity/versions"


@pytest.fixture(name="a_world")
async def _a_world() -> AsyncIterator[World]:
    """A bot that has learned that it uses server a."""
    async with world(default="a") as made:
        await made.bot.sync()
        await made.server.resolve()
        yield made


async def line_of(a_world: World) -> GenerationLine:
    """The line of the generation that holds now."""
    line = (await a_world.server._session()).line
    assert isinstance(line, GenerationLine)
    return line


async def test_a_line_knows_its_server_and_its_user(a_world: World) -> None:
    """And whether the server was named in code."""
    line = await line_of(a_world)
    assert (line.server, await line.user_id()) == (a_world.a.url, a_world.alice.user_id)
    assert line.trusted


async def test_what_is_said_goes_to_the_server(a_world: World) -> None:
    """With a token if there is one, else without."""
    line = await line_of(a_world)
    token = a_world.a.issue_token(a_world.alice.user_id)
    assert (await line.say(GetVersions())).versions
    assert (await line.say(GetAccount(), Secret(token))).user_id == a_world.alice.user_id
    assert [request.bearer for request in a_world.a.requests] == [None, token]


async def test_the_homeserver_is_asked_on_the_same_line(a_world: World) -> None:
    """With the homeserver's own token."""
    line = await line_of(a_world)
    assert (await line.ask_homeserver(GetTokenOwner())).user_id == a_world.alice.user_id
    assert a_world.a.connections == 0


@pytest.mark.parametrize("receiver", ["identity server", "homeserver"])
async def test_a_line_is_dead_when_the_user_chooses_anew(a_world: World, receiver: str) -> None:
    """Nothing more is sent on it, to either of them."""
    line = await line_of(a_world)
    a_world.other_client_picks(a_world.b)
    await a_world.bot.sync()
    a_world.homeserver.clear()
    at_home = receiver == "homeserver"
    with pytest.raises(IdentityServerChanged) as caught:
        await (line.ask_homeserver(GetTokenOwner()) if at_home else line.say(GetVersions()))
    assert caught.value.server == a_world.a.url
    assert a_world.spoken_to == ""
    assert a_world.homeserver.requests == []


async def test_what_is_under_way_ends_with_the_choice(a_world: World) -> None:
    """At once, and the server sees that nobody listens any more."""
    line = await line_of(a_world)
    async with a_world.a.hold(path=VERSIONS) as hold:
        task = asyncio.create_task(line.say(GetVersions()))
        await hold.reached()
        a_world.other_client_sets({"base_url": None})
        await a_world.bot.sync()
        with pytest.raises(IdentityServerChanged):
            await task
        await a_world.a.wait_for_disconnect()


async def test_an_answer_is_not_for_another_user(a_world: World) -> None:
    """Who has logged in while it was under way, by mere assignment."""
    line = await line_of(a_world)
    async with a_world.a.hold(path=VERSIONS) as hold:
        task = asyncio.create_task(line.say(GetVersions()))
        await hold.reached()
        log_in(a_world.bot, a_world.bob)
        hold.release()
        with pytest.raises(IdentityServerChanged):
            await task


async def test_a_line_repeats_what_may_be_repeated(a_world: World) -> None:
    """And each time passes the gate again."""
    line = await line_of(a_world)
    a_world.a.reject_next(429, "M_LIMIT_EXCEEDED", retry_after_ms=1, times=2)
    assert (await line.say(GetVersions())).versions
    a_world.a.reject_next(403)
    with pytest.raises(MatrixError, match="403"):
        await line.say(GetVersions())
    assert len(a_world.a.requests) == 4


async def test_a_line_does_not_repeat_after_the_choice_has_changed(a_world: World) -> None:
    """The wait between two attempts is no way around the gate."""
    line = await line_of(a_world)
    a_world.a.reject_next(429, "M_LIMIT_EXCEEDED", retry_after_ms=50, times=None)
    task = asyncio.create_task(line.say(GetVersions()))
    await a_world.a.wait_for(path=VERSIONS)
    a_world.other_client_picks(a_world.b)
    await a_world.bot.sync()
    with pytest.raises(IdentityServerChanged):
        await task
    assert len(a_world.a.requests) == 1
    assert a_world.spoken_to == "a"
