"""Being known to the identity server (design, section 6)."""

from __future__ import annotations

import pytest

from nio_identity_server import (
    CannotConnect,
    Disabled,
    IdentityDisabled,
    RegistrationRefused,
)
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.endpoints.discovery import GetVersions
from tests.scenarios.plain_client import send
from tests.scenarios.scene import IS, Scene

BEGINNING = [f"GET {IS}/terms", f"POST {IS}/account/register", f"GET {IS}/account"]


async def status_of(scene: Scene, token: str) -> int:
    """What the identity server says to a token: 200 if it works."""
    url = f"{scene.url}{IS}/account"
    status, _ = await send("GET", url, token=token, tls=scene.stage.tls)
    return status


async def test_registering(scene: Scene) -> None:
    """The first call looks at the terms, registers and makes sure whose token it got."""
    server = await scene.speaker()

    account = await server.call(GetAccount())
    again = await server.call(GetAccount())

    assert account == again
    assert account.user_id == scene.alice.user_id
    assert scene.stage.identity_server.requests == [*BEGINNING, *[f"GET {IS}/account"] * 2]
    assert scene.stage.homeserver.seen("openid/request_token") == 1


async def test_a_call_that_needs_no_token(scene: Scene) -> None:
    """Nobody is registered for a call that needs no token."""
    server = await scene.speaker()

    await server.call(GetVersions())

    assert scene.stage.identity_server.requests == ["GET /_matrix/identity/versions"]
    assert scene.stage.homeserver.seen("openid") == 0


async def test_a_kept_token(scene: Scene) -> None:
    """The next process goes on with the token of the token store."""
    await (await scene.speaker()).call(GetAccount())
    token = scene.token()
    scene.stage.identity_server.clear()

    await (await scene.speaker()).call(GetAccount())

    assert scene.stage.identity_server.requests == [f"GET {IS}/account"] * 2
    assert scene.token() == token


async def test_a_revoked_token(scene: Scene) -> None:
    """A token that works no more is renewed once, and the call done again."""
    server = await scene.speaker()
    await server.call(GetAccount())
    old = scene.token()
    scene.stage.identity_server.clear()

    await scene.stage.revoke_tokens(scene.alice)

    assert await status_of(scene, old) == 401
    scene.stage.identity_server.clear()
    account = await server.call(GetAccount())
    assert account.user_id == scene.alice.user_id
    again = [f"GET {IS}/account", *BEGINNING, f"GET {IS}/account"]
    assert scene.stage.identity_server.requests == again
    assert scene.token() != old


async def test_leaving_logs_out(scene: Scene) -> None:
    """Before the bot says null it gives its token back, which works no more."""
    server = await scene.speaker()
    await server.call(GetAccount())
    token = scene.token()
    assert await status_of(scene, token) == 200
    scene.stage.identity_server.clear()

    await server.disable()

    assert scene.stage.identity_server.requests == [f"POST {IS}/account/logout"]
    assert await status_of(scene, token) == 401
    assert scene.tokens.load(scene.alice.user_id, scene.url) is None
    with pytest.raises(IdentityDisabled):
        await server.call(GetAccount())


async def test_a_change_elsewhere_drops_the_token(scene: Scene) -> None:
    """When another client says null, the token is forgotten and nothing more is sent."""
    bot = scene.bot()
    await scene.other_client.write({"base_url": scene.url})
    await bot.sync()
    await bot.identity_server.call(GetAccount())
    scene.stage.identity_server.clear()

    await scene.other_client.write({"base_url": None})
    await bot.sync()

    assert bot.identity_server.preference == Disabled()
    with pytest.raises(IdentityDisabled):
        await bot.identity_server.call(GetAccount())
    assert scene.stage.identity_server.requests == []
    assert scene.tokens.load(scene.alice.user_id, scene.url) is None


async def test_tokens_stay_apart(scene: Scene) -> None:
    """The token of one server is not shown to the next one, nor is that of the homeserver."""
    server = await scene.speaker()
    await server.call(GetAccount())
    token = scene.token()

    await server.set(scene.a.url)
    # It knows no homeserver, so it refuses; what counts is what it received.
    with pytest.raises(RegistrationRefused):
        await server.call(GetAccount())

    assert scene.a.seen("POST", "register")
    assert token.encode() not in scene.a.raw_bytes
    assert scene.alice.access_token.encode() not in scene.a.raw_bytes
    assert scene.a.foreign_tokens == []


async def test_an_outage(scene: Scene) -> None:
    """A server that is gone is reported as that, is no obstacle to leaving, and may come back."""
    server = await scene.speaker()
    await server.call(GetAccount())
    await scene.stage.stop_identity_server()
    try:
        with pytest.raises(CannotConnect):
            await server.call(GetAccount())
        await server.disable()
    finally:
        await scene.stage.start_identity_server()

    assert await scene.other_client.read() == {"base_url": None}
    await server.set(scene.url)
    account = await server.call(GetAccount())
    assert account.user_id == scene.alice.user_id
