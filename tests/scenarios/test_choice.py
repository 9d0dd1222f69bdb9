"""How the choice becomes known and is followed (design, sections 4 and 5)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from nio import (
    InviteMemberEvent,
    LoginResponse,
    RoomMessageText,
    UnknownToDeviceEvent,
)

from nio_identity_server import (
    Disabled,
    IdentityDisabled,
    IdentityServerChanged,
    NotSet,
    Unconfirmed,
    Unusable,
    Witness,
)
from nio_identity_server.endpoints.discovery import GetVersions
from tests.scenarios.plain_client import PASSWORD, OtherClient
from tests.scenarios.scene import (
    VERSIONS,
    Scene,
    calls,
    chosen,
    goes_where_it_should,
    syncing,
    when_called,
)
from tests.scenarios.stage import News

HIDING: dict[str, Any] = {"account_data": {"types": []}}


@pytest.mark.parametrize("news", ["to-device message", "message", "invitation"])
async def test_a_call_inside_the_first_sync(scene: Scene, news: News) -> None:
    """A call made before the first sync and one made in a callback of it are held, and released."""
    await scene.other_client.write({"base_url": scene.a.url})
    await scene.stage.send(news, scene.alice)
    bot = scene.bot(default=scene.b.url, sync_wait=30.0)
    callback, in_callback = when_called(lambda: bot.identity_server.call(GetVersions()))
    if news == "to-device message":
        bot.add_to_device_callback(callback, UnknownToDeviceEvent)
    else:
        kind = RoomMessageText if news == "message" else InviteMemberEvent
        bot.add_event_callback(callback, kind)
    read = scene.stage.homeserver.hold("account_data/m.identity_server")

    early = asyncio.create_task(bot.identity_server.call(GetVersions()))
    sync = asyncio.create_task(bot.sync())
    await read.reached()

    assert (early.done(), in_callback.done(), sync.done()) == (False, False, False)
    assert scene.a.connections == scene.b.connections == 0
    read.release()
    await asyncio.gather(early, in_callback, sync)
    assert calls(scene.a) == VERSIONS * 2
    assert scene.b.connections == 0
    assert (scene.reads, scene.writes) == (1, 0)


async def test_absence_in_a_whole_sync(scene: Scene) -> None:
    """A first sync without the event proves that nothing is set; the default is not written."""
    bot = scene.bot(default=scene.a.url)

    await bot.sync()

    assert bot.identity_server.preference == NotSet()
    await bot.identity_server.call(GetVersions())
    assert calls(scene.a) == VERSIONS
    assert scene.writes == 0
    assert await scene.other_client.read() in (None, {})


async def test_a_resumed_token(scene: Scene) -> None:
    """A sync that goes on from a stored token tells nothing, so the choice is read."""
    await scene.other_client.write({"base_url": scene.a.url})
    first = scene.bot()
    await first.sync()
    resumed = scene.bot(default=scene.b.url, sync_wait=30.0)
    resumed.next_batch = first.next_batch

    await resumed.sync()

    assert resumed.identity_server.preference == Unconfirmed()
    await resumed.identity_server.call(GetVersions())
    assert (scene.reads, calls(scene.a), scene.b.connections) == (1, VERSIONS, 0)


@pytest.mark.parametrize("is_set", [True, False])
async def test_full_state(scene: Scene, is_set: bool) -> None:
    """A full_state sync from a stored token may show the event; that it does not proves nothing."""
    if is_set:
        await scene.other_client.write({"base_url": scene.a.url})
    first = scene.bot()
    await first.sync()
    resumed = scene.bot(default=scene.b.url)
    resumed.next_batch = first.next_batch

    await resumed.sync(full_state=True)

    expected = chosen(scene.a) if is_set else Unconfirmed()
    assert resumed.identity_server.preference == expected
    await resumed.identity_server.call(GetVersions())
    assert scene.reads == 1
    assert calls(scene.a if is_set else scene.b) == VERSIONS


@pytest.mark.parametrize("stored", [True, False])
async def test_a_filter_that_hides_account_data(scene: Scene, stored: bool) -> None:
    """A first sync through a filter, given or stored, proves no absence."""
    await scene.other_client.write({"base_url": None})
    bot = scene.bot(default=scene.a.url)
    sync_filter: Any = HIDING
    if stored:
        # nio's own upload_filter() takes the parts one by one and sends the others empty.
        path = f"/_matrix/client/v3/user/{scene.alice.user_id}/filter"
        headers = {"Authorization": f"Bearer {scene.alice.access_token}"}
        answer = await bot.send("POST", path, json.dumps(HIDING), headers)
        sync_filter = (await answer.json())["filter_id"]

    await bot.sync(sync_filter=sync_filter)

    assert bot.identity_server.preference == Unconfirmed()
    with pytest.raises(IdentityDisabled):
        await bot.identity_server.call(GetVersions())
    assert (scene.reads, scene.a.connections) == (1, 0)


async def test_following_another_client(scene: Scene) -> None:
    """The bot follows what another client of its user writes, whatever that is."""
    await scene.other_client.write({"base_url": scene.a.url})
    bot = scene.bot()
    server = bot.identity_server
    async with syncing(bot):
        assert (await server.resolve()).base_url == chosen(scene.a).base_url
        for number, (content, expected) in enumerate(
            (
                ({"base_url": scene.b.url}, chosen(scene.b)),
                ({}, NotSet()),
                ({"base_url": None}, Disabled()),
                ({"base_url": 5}, Unusable),
                ({"base_url": scene.a.url + "/"}, chosen(scene.a)),
                ({"base_url": ""}, Unusable),
                ({"base_url": [scene.b.url], "more": None}, Unusable),
                ({"base_url": "http://elsewhere.example"}, Unusable),
                ({"base_url": scene.b.url, "more": [1]}, chosen(scene.b)),
            ),
            start=1,
        ):
            old = server.preference
            await scene.other_client.write(content)
            change = await scene.hears(count=number)
            # By the sync itself, or by the read that follows when a read was under way with it.
            assert change.source is not Witness.WRITE
            assert (change.old, change.own) == (old, False)
            assert server.preference == change.new
            if expected is Unusable:
                assert isinstance(change.new, Unusable)
            else:
                assert change.new == expected
            await goes_where_it_should(scene, server)
    assert scene.writes == 0


async def test_a_change_under_a_call(scene: Scene) -> None:
    """A call that is under way when another client changes the choice ends, and its answer too."""
    await scene.other_client.write({"base_url": scene.a.url})
    bot = scene.bot()
    async with syncing(bot), scene.a.hold("GET", "versions") as slow:
        call = asyncio.create_task(bot.identity_server.call(GetVersions()))
        await slow.reached()

        await scene.other_client.write({"base_url": None})

        with pytest.raises(IdentityServerChanged):
            await call
        await scene.a.wait_for_disconnect()
    assert bot.identity_server.preference == Disabled()


async def test_a_callback_that_raises(scene: Scene) -> None:
    """A callback that raises ends the sync before nio tells the account data; we know it anyway."""
    await scene.other_client.write({"base_url": None})
    await scene.stage.send("to-device message", scene.alice)
    bot = scene.bot(default=scene.a.url)

    async def stumble(_: object) -> None:
        raise RuntimeError("on purpose")

    bot.add_to_device_callback(stumble, UnknownToDeviceEvent)

    with pytest.raises(RuntimeError, match="on purpose"):
        await bot.sync_forever(timeout=0)

    assert bot.identity_server.preference == Disabled()
    with pytest.raises(IdentityDisabled):
        await bot.identity_server.call(GetVersions())
    assert scene.a.connections == 0


async def test_another_user_logs_in(scene: Scene) -> None:
    """Of the next user on the same client nothing is known, although the sync goes on."""
    bob = await scene.stage.user("bob")
    await scene.other_client.write({"base_url": scene.a.url})
    await OtherClient(scene.stage.home_url, bob).write({"base_url": scene.b.url})
    bot = scene.bot()
    await bot.sync()
    async with scene.a.hold("GET", "versions") as slow:
        call = asyncio.create_task(bot.identity_server.call(GetVersions()))
        await slow.reached()

        bot.user = bob.user_id
        assert isinstance(await bot.login(PASSWORD), LoginResponse)

        with pytest.raises(IdentityServerChanged):
            await call
    scene.stage.homeserver.clear()
    await bot.sync()

    assert bot.identity_server.preference == Unconfirmed()
    await bot.identity_server.call(GetVersions())
    assert bot.identity_server.preference == chosen(scene.b)
    assert (calls(scene.a), calls(scene.b), scene.reads) == (VERSIONS, VERSIONS, 1)
    assert scene.changes == []
