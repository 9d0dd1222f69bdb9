"""What only the real servers do: Synapse's cache and MSC3391, Sydent's list of homeservers.

All of it is switched on in one pair of servers; the stories of ``tests/scenarios`` run without.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from yarl import URL

from nio_identity_server import (
    WELL_KNOWN,
    Chosen,
    Disabled,
    IdentityDisabled,
    IdentityServerEvent,
    NotSet,
    RegistrationRefused,
    Source,
    parse_base_url,
)
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.flows import well_known
from nio_identity_server.testing import MatrixIdentityServer
from tests.canaries import Canaries
from tests.real.servers import environment
from tests.real.servers.stack import RealServers
from tests.scenarios.plain_client import User, demand
from tests.scenarios.real_stage import Backstage, real_stage, running
from tests.scenarios.scene import IS, Scene, chosen, syncing

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not environment.is_installed(), reason='"make servers" installs them'),
]


@pytest.fixture(name="servers", scope="module")
def _servers() -> Iterator[RealServers]:
    """A homeserver with everything switched on, at which the identity server serves nobody."""
    refusing = {"homeserver_allow_list": "elsewhere.example", "enable_v1_access": "false"}
    servers = RealServers(
        sydent=True, sync_cache="2m", msc3391=True, sydent_config={"general": refusing}
    )
    with running(servers):
        yield servers


@pytest_asyncio.fixture(name="scene")
async def _scene(servers: RealServers, canaries: Canaries) -> AsyncIterator[Scene]:
    """Somebody new in front of these servers."""
    async with (
        real_stage(Backstage(servers)) as stage,
        MatrixIdentityServer() as a,
        MatrixIdentityServer() as b,
    ):
        alice = User(*await servers.register_user(f"alice{secrets.token_hex(4)}"))
        canaries.homeserver_tokens.add(alice.access_token)
        scene = Scene(stage, a, b, alice)
        yield scene
        await scene.close()


async def told(scene: Scene, **settings: Any) -> tuple[Any, object]:
    """A bot that was just started, and the content that its first sync tells."""
    bot = scene.bot(**settings)
    response = await bot.sync()
    contents = [
        event.content
        for event in response.account_data_events
        if getattr(event, "type", "") == "m.identity_server"
    ]
    return bot, contents[-1] if contents else None


# -- the cache of first syncs


async def test_a_cached_first_sync(scene: Scene) -> None:
    """A bot that is restarted within two minutes is told the old server, and does not go there."""
    await scene.other_client.write({"base_url": scene.a.url})
    first, content = await told(scene)
    await first.identity_server.call(GetVersions())
    assert content == {"base_url": scene.a.url}
    scene.a.clear()
    await scene.other_client.write({"base_url": None})

    second, content = await told(scene)

    assert content == {"base_url": scene.a.url}, "Synapse did not answer from its cache"
    with pytest.raises(IdentityDisabled):
        await second.identity_server.call(GetVersions())
    assert scene.a.connections == 0


async def test_a_cached_first_sync_in_a_sync_loop(scene: Scene) -> None:
    """After the old answer the loop is told what happened since; the bot ends at the truth."""
    await scene.other_client.write({"base_url": scene.a.url})
    await told(scene)
    await scene.other_client.write({"base_url": scene.b.url})
    await scene.other_client.write({"base_url": scene.a.url})
    await scene.other_client.write({"base_url": scene.b.url})
    bot = scene.bot()
    server = bot.identity_server
    seen: list[object] = []

    async def look(event: IdentityServerEvent) -> None:
        seen.append(event.content["base_url"])
        await server.call(GetVersions())

    bot.add_global_account_data_callback(look, IdentityServerEvent)

    async with syncing(bot):
        await server.call(GetVersions())
        assert server.preference == chosen(scene.b)
        # Only a change that comes after all of these shows that they have been seen.
        await scene.other_client.write({"base_url": None})
        await scene.hears(Disabled())

    assert seen[0] == scene.a.url, "Synapse did not answer from its cache"
    assert scene.a.connections == 0
    assert scene.b.connections > 0


async def test_a_cached_absence(scene: Scene) -> None:
    """An old "nothing is set" does not lead to the default when the user has said null since."""
    await told(scene, default=scene.a.url)
    await scene.other_client.write({"base_url": None})

    bot, content = await told(scene, default=scene.a.url)

    assert content is None, "Synapse did not answer from its cache"
    with pytest.raises(IdentityDisabled):
        await bot.identity_server.call(GetVersions())
    assert scene.a.connections == 0


# -- MSC3391: writing {} deletes


async def test_reset_deletes(scene: Scene) -> None:
    """reset() writes {}, which deletes the event: nothing is set, for this bot and the next."""
    bot = scene.bot(default=scene.b.url)
    server = bot.identity_server
    async with syncing(bot):
        await server.set(scene.a.url)
        await server.reset()
        assert await scene.other_client.read() is None
        assert (await server.resolve()).source is Source.DEFAULT
        await scene.other_client.write({"base_url": None})
        await scene.hears(Disabled())

    assert [change.own for change in scene.changes] == [True, True, False]
    await scene.other_client.write({})
    _, content = await told(scene, default=scene.b.url, sync_wait=1.0)
    assert content is None


@pytest.mark.parametrize("how", ["PUT {}", "DELETE"])
async def test_deleted_elsewhere(scene: Scene, how: str) -> None:
    """When another client deletes the event, the sync says {}, and the bot uses its default."""
    await scene.other_client.write({"base_url": scene.a.url})
    bot = scene.bot(default=scene.b.url)
    async with syncing(bot):
        await bot.identity_server.call(GetVersions())
        if how == "DELETE":
            user = quote(scene.alice.user_id, safe="")
            path = f"/org.matrix.msc3391/user/{user}/account_data/m.identity_server"
            url = f"{scene.stage.home_url}/_matrix/client/unstable{path}"
            await demand("DELETE", url, token=scene.alice.access_token)
        else:
            await scene.other_client.write({})

        change = await scene.hears()

        assert (change.new, change.own) == (NotSet(), False)
        assert await scene.other_client.read() is None
        await bot.identity_server.call(GetVersions())
    assert len(scene.a.requests) == len(scene.b.requests) == 1


# -- Sydent


async def test_a_homeserver_that_is_not_welcome(scene: Scene) -> None:
    """An identity server that does not serve this homeserver says so once, and is not pressed."""
    server = await scene.speaker()

    with pytest.raises(RegistrationRefused) as refusal:
        await server.call(GetAccount())

    assert (refusal.value.status, refusal.value.errcode) == (403, "M_UNAUTHORIZED")
    requests = scene.stage.identity_server.requests
    assert requests == [f"GET {IS}/terms", f"POST {IS}/account/register"]
    assert scene.tokens.load(scene.alice.user_id, scene.url) is None


async def test_the_published_default(
    servers: RealServers, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is what Synapse publishes in its .well-known."""
    # It is looked for at port 443, as the specification wants, which a test cannot have.
    published = URL(f"{servers.homeserver_tls_url}/.well-known/matrix/client")
    monkeypatch.setattr(well_known, "_well_known_url", lambda _: published)
    url = servers.identity_server_url
    server = scene.bot(default=WELL_KNOWN, trusted=[url]).identity_server

    resolution = await server.resolve()

    assert resolution.refusal is None, resolution.refusal
    assert (resolution.base_url, resolution.source) == (parse_base_url(url), Source.WELL_KNOWN)
    assert (await server.call(GetVersions())).versions[-1] == "v1.5"
    assert server.preference == NotSet()
    assert scene.writes == 0


async def test_sydent_itself(servers: RealServers, scene: Scene) -> None:
    """Nothing stands between the bot and Sydent: chosen, pinged and left."""
    url = servers.identity_server_url
    server = scene.bot(trusted=[url]).identity_server

    await server.set(url + "/")

    assert server.preference == Chosen(parse_base_url(url))
    assert await scene.other_client.read() == {"base_url": url}
    await server.call(Ping())
