"""Writing the choice, and what comes back of it (design, section 5)."""

from __future__ import annotations

import asyncio

import pytest

from nio_identity_server import (
    CannotConnect,
    Disabled,
    ForbiddenAddress,
    NotSet,
    Unconfirmed,
    Witness,
)
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from tests.scenarios.scene import Scene, chosen, goes_where_it_should, syncing

WRITE = "account_data/m.identity_server"


async def test_own_writes(scene: Scene) -> None:
    """set, disable and reset write what they say, once each, and are reported as our own."""
    bot = scene.bot(default=scene.a.url)
    server = bot.identity_server
    async with syncing(bot):
        await server.set(scene.b.url)
        assert await scene.other_client.read() == {"base_url": scene.b.url}
        await goes_where_it_should(scene, server)
        await server.disable()
        assert await scene.other_client.read() == {"base_url": None}
        await goes_where_it_should(scene, server)
        await server.reset()
        assert await scene.other_client.read() in ({}, None)
        assert str((await server.resolve()).base_url) == scene.a.url
        await scene.hears(NotSet())

    assert [change.new for change in scene.changes] == [chosen(scene.b), Disabled(), NotSet()]
    assert {(change.own, change.source) for change in scene.changes} == {(True, Witness.WRITE)}
    assert scene.writes == 3


async def test_echoes(scene: Scene) -> None:
    """Many quick writes with a sync running: their echoes change nothing and are not reported."""
    bot = scene.bot()
    server = bot.identity_server
    async with syncing(bot):
        for _ in range(30):
            for each in (scene.a, scene.b):
                await server.set(each.url)
                assert server.preference in {chosen(each), Unconfirmed()}
        assert (await server.resolve()).base_url == chosen(scene.b).base_url
        await scene.hears(count=60)
        # The end of the stream: everything before it has been seen when this is.
        await scene.other_client.write({"base_url": None})
        await scene.hears(Disabled())

    own = [change.new for change in scene.changes if change.own]
    assert own == [chosen(scene.a), chosen(scene.b)] * 30
    assert [change.new for change in scene.changes if not change.own] == [Disabled()]
    assert scene.writes == 60


async def test_the_echo_of_an_older_write(scene: Scene) -> None:
    """Of A, B, A the first echo may come while the last is being written; it is not its own."""
    bot = scene.bot()
    server = bot.identity_server
    wire = scene.stage.homeserver
    async with syncing(bot):
        await wire.wait_for("GET /_matrix/client/v3/sync", 2)
        echoes = wire.hold_answers("/sync")
        await server.set(scene.a.url)
        await echoes.reached(1)
        await server.set(scene.b.url)
        writing = wire.hold(WRITE)
        last = asyncio.create_task(server.set(scene.a.url))
        await writing.reached()
        echoes.let_go()  # of the first write
        await echoes.reached(2)
        writing.release()
        await last
        assert server.preference == chosen(scene.a)

        syncs = wire.hold("/sync")
        echoes.let_go()  # of the second write
        await syncs.reached()

        assert server.preference in {chosen(scene.a), Unconfirmed()}
        assert (await server.resolve()).base_url == chosen(scene.a).base_url
        echoes.release()
        syncs.release()

    assert [change.own for change in scene.changes] == [True] * 3


async def test_https(scene: Scene) -> None:
    """A server with a certificate of an authority that the configuration names is usable."""
    server = scene.bot().identity_server

    info = await server.check(scene.url)
    await server.set(scene.url)

    assert "v1.5" in info.versions
    assert info.policies == ()
    assert (await server.call(GetVersions())).versions == info.versions
    assert await scene.other_client.read() == {"base_url": scene.url}


async def test_https_that_is_not_trusted(scene: Scene) -> None:
    """A certificate that nobody vouches for, and an address that is private, are refused."""
    await scene.other_client.write({"base_url": scene.url})

    with pytest.raises(CannotConnect, match="certificate"):
        await scene.bot(ssl_context=None).identity_server.call(Ping())
    with pytest.raises(ForbiddenAddress):
        await scene.bot(trusted=[]).identity_server.call(Ping())
    assert scene.stage.identity_server.requests == []
