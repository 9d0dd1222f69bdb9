"""Finding who of many addresses is on Matrix (design, section 6)."""

from __future__ import annotations

import asyncio

import pytest

from nio_identity_server import (
    IdentityServer,
    IdentityServerChanged,
    ThreePid,
    email,
    msisdn,
)
from nio_identity_server.flows import directory
from nio_identity_server.flows.directory import Found
from nio_identity_server.flows.lookup import CHUNK
from tests.scenarios.scene import IS, Scene, chosen, syncing
from tests.scenarios.stage import CROWD, crowd, crowd_bindings

DETAILS = f"GET {IS}/hash_details"
LOOKUP = f"POST {IS}/lookup"


def spoken(scene: Scene) -> list[str]:
    """What of the lookups arrived at the identity server."""
    requests = scene.stage.identity_server.requests
    return [each for each in requests if each in {DETAILS, LOOKUP}]


def in_crowd(scene: Scene) -> dict[str, str]:
    """Who of the crowd is on Matrix."""
    return crowd_bindings(scene.alice.user_id.partition(":")[2])


def plain(found: Found) -> dict[str, str]:
    """What was found, by address."""
    return {threepid.address: user_id for threepid, user_id in found.items()}


async def test_finding(scene: Scene) -> None:
    """Bound addresses are found in every spelling, and what nobody has bound is not."""
    bob = await scene.stage.user("bob")
    # New ones for each story: what is bound in a real Sydent stays.
    name = bob.user_id[1:].partition(":")[0]
    number = f"+4477009{name.removeprefix('bob').zfill(5)}"
    await scene.stage.bind(f"{name}.Mixed@Example.org", bob)
    await scene.stage.bind(f"{name}.strauss@example.org", scene.alice)
    await scene.stage.bind(number, bob)
    server = await scene.speaker()
    scene.stage.identity_server.clear()
    spellings: list[ThreePid | str] = [
        f"{name}.mixed@example.ORG",
        f"{name.upper()}.MIXED@EXAMPLE.ORG",
        f"{name}.Strauß@Example.org",
        f"{number[:3]} {number[3:7]} {number[7:]}",
        msisdn(number),
    ]

    found = await server.lookup([*spellings, "nobody@example.org", email("a@b"), "+4412345678"])

    assert plain(found) == {
        f"{name}.mixed@example.org": bob.user_id,
        f"{name}.strauss@example.org": scene.alice.user_id,
        number[1:]: bob.user_id,
    }
    users = [bob.user_id] * 2 + [scene.alice.user_id] + [bob.user_id] * 2
    assert [found[spelling] for spelling in spellings] == users
    assert "nobody@example.org" not in found
    assert spoken(scene) == [DETAILS, LOOKUP]
    assert b"example.org" not in scene.stage.identity_server.received.lower()


async def test_another_pepper(scene: Scene) -> None:
    """A pepper that was rotated between two lookups is fetched again, once, and both succeed."""
    bob = await scene.stage.user("bob")
    address = f"{bob.user_id[1:].partition(':')[0]}@example.org"
    await scene.stage.bind(address, bob)
    server = await scene.speaker()
    assert plain(await server.lookup([address])) == {address: bob.user_id}
    scene.stage.identity_server.clear()

    await scene.stage.rotate_pepper()

    assert plain(await server.lookup([address])) == {address: bob.user_id}
    assert spoken(scene) == [LOOKUP, DETAILS, LOOKUP]
    assert plain(await server.lookup([address])) == {address: bob.user_id}
    assert spoken(scene) == [LOOKUP, DETAILS, LOOKUP, LOOKUP]


async def test_a_token_revoked_between_two_lookups(scene: Scene) -> None:
    """The token is renewed once although two pieces of a lookup need it at the same time."""
    await scene.stage.bind_crowd()
    server = await scene.speaker()
    await server.lookup(["nobody@example.org"])
    scene.stage.identity_server.clear()

    await scene.stage.revoke_tokens(scene.alice)

    found = await server.lookup(list(crowd())[: CHUNK * 2])
    assert len(found) == CHUNK * 2 // 10
    assert scene.stage.identity_server.seen("register") == 1
    assert spoken(scene).count(LOOKUP) == 4


async def test_a_crowd(scene: Scene) -> None:
    """25,000 addresses, of which 2,500 are bound, get exactly the right answers."""
    await scene.stage.bind_crowd()
    server = await scene.speaker()

    found = await server.lookup(crowd())

    assert plain(found) == in_crowd(scene)
    assert len(found) == CROWD // 10
    assert spoken(scene) == [DETAILS, *[LOOKUP] * 5]
    streamed = [
        (threepid.address, user_id) async for threepid, user_id in server.lookup_stream(crowd())
    ]
    assert streamed == list(in_crowd(scene).items())


@pytest.mark.parametrize("chunk", [11_000, 12_000])
async def test_too_large(scene: Scene, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """A request that is too large for the server (it says so, or resets) is halved, then works."""
    await scene.stage.bind_crowd()
    server = await scene.speaker()
    await server.lookup(["nobody@example.org"])
    scene.stage.identity_server.clear()
    monkeypatch.setattr(directory, "CHUNK", chunk)

    found = await server.lookup(crowd())

    assert plain(found) == in_crowd(scene)
    assert spoken(scene).count(DETAILS) == 0
    # The first two are refused, as they are under way at the same time, and asked in halves. What
    # comes after that is asked in pieces of their size or less.
    assert 2 + 2 * 2 + 1 <= spoken(scene).count(LOOKUP) <= 2 + 2 * 2 + 4


async def test_much_too_large(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests at once that each have to be halved twice do not use up each other's turns."""
    await scene.stage.bind_crowd()
    server = await scene.speaker()
    monkeypatch.setattr(directory, "CHUNK", 21_000)
    strangers = (f"stranger{number}@example.org" for number in range(17_000))

    found = await server.lookup([*crowd(), *strangers])

    assert plain(found) == in_crowd(scene)


async def test_the_server_changes_in_a_large_lookup(scene: Scene) -> None:
    """A lookup whose server is left in the middle ends at once, and sends nothing more anywhere."""
    bot = scene.bot()
    server: IdentityServer = bot.identity_server
    await scene.other_client.write({"base_url": scene.url})
    async with syncing(bot):
        await server.lookup(["nobody@example.org"])
        scene.stage.identity_server.clear()
        slow = scene.stage.identity_server.hold(LOOKUP)
        lookup = asyncio.create_task(server.lookup(crowd()))
        await slow.reached(2)

        await scene.other_client.write({"base_url": scene.a.url})

        with pytest.raises(IdentityServerChanged) as change:
            await lookup
        slow.release()
        assert change.value.server == scene.url
        assert (await scene.hears(chosen(scene.a))).own is False
    assert scene.stage.identity_server.requests == [LOOKUP] * 2
    assert scene.a.connections == 0
