"""A real matrix-nio client in front of the homeserver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import nio
import pytest
import pytest_asyncio

from nio_identity_server.testing import MatrixHomeserver

ALICE = "@alice:example.test"
ROOM = "!r:example.test"


@pytest_asyncio.fixture(name="client")
async def _client(hs: MatrixHomeserver) -> AsyncIterator[Any]:
    hs.register("alice", "pw")
    client = nio.AsyncClient(hs.url, ALICE)
    await client.login("pw")
    yield client
    await client.close()


class Seen:
    """Notes what nio's callbacks are called with."""

    def __init__(self, client: Any) -> None:
        self.log: list[tuple[str, Any]] = []
        self.changed = asyncio.Event()
        client.add_event_callback(self._message, nio.RoomMessageText)
        client.add_event_callback(self._invite, nio.InviteMemberEvent)
        client.add_to_device_callback(self._device, nio.ToDeviceEvent)
        client.add_global_account_data_callback(self._account, None)

    def _note(self, kind: str, value: Any) -> None:
        self.log.append((kind, value))
        self.changed.set()

    async def _message(self, room: Any, event: Any) -> None:
        self._note("message", (room.room_id, event.sender, event.body))

    async def _invite(self, room: Any, event: Any) -> None:
        self._note("invite", (room.room_id, event.state_key, event.membership))

    async def _device(self, event: Any) -> None:
        self._note("device", event.source["content"])

    async def _account(self, event: Any) -> None:
        self._note("account", getattr(event, "content", type(event).__name__))


async def test_login_whoami_logout(hs: MatrixHomeserver) -> None:
    """A client logs in, asks who it is, and logs out."""
    hs.register("alice", "pw")
    client = nio.AsyncClient(hs.url, "alice")
    refused = await client.login("wrong")
    welcome = await client.login("pw")
    whoami = await client.whoami()
    farewell = await client.logout()
    await client.close()

    assert (nio.LoginError, "M_FORBIDDEN") == (type(refused), refused.status_code)
    assert (nio.LoginResponse, ALICE) == (type(welcome), welcome.user_id)
    assert (ALICE, welcome.device_id) == (whoami.user_id, whoami.device_id)
    assert nio.LogoutResponse is type(farewell)


async def test_every_callback_fires(hs: MatrixHomeserver, client: Any) -> None:
    """An initial sync brings account data, a message, an invite and a to-device message."""
    seen = Seen(client)
    hs.set_account_data("alice", "m.identity_server", {"base_url": None})
    hs.add_message("alice", ROOM, "hello")
    hs.invite("alice", "!i:example.test")
    hs.send_to_device("alice", "m.x", {"n": 1})

    response = await client.sync()

    assert nio.SyncResponse is type(response)
    assert seen.log == [
        ("device", {"n": 1}),
        ("invite", ("!i:example.test", "@friend:example.test", "join")),
        ("invite", ("!i:example.test", ALICE, "invite")),
        ("message", (ROOM, "@friend:example.test", "hello")),
        ("account", "PushRulesEvent"),
        ("account", {"base_url": None}),
    ]
    assert {ALICE, "@friend:example.test"} == set(client.rooms[ROOM].users)


async def test_sync_forever(hs: MatrixHomeserver, client: Any) -> None:
    """A client that syncs for ever sees each change as it happens."""
    seen = Seen(client)
    forever = asyncio.create_task(client.sync_forever(timeout=60_000))
    async with asyncio.timeout(5):
        await seen.changed.wait()
        for number in range(3):
            seen.changed.clear()
            hs.set_account_data("alice", "m.x", {"n": number})
            await seen.changed.wait()
    forever.cancel()
    await asyncio.gather(forever, return_exceptions=True)

    assert [("account", {"n": number}) for number in range(3)] == seen.log[1:]


async def test_malformed_account_data(hs: MatrixHomeserver, client: Any) -> None:
    """A broken event is a bad one for nio, and a broken list of events is an error."""
    seen = Seen(client)
    await client.sync()
    hs.replay_sync("alice", [{"type": "m.identity_server", "content": []}])
    await client.sync()
    hs.replay_sync("alice", [None])

    with pytest.raises(TypeError):
        await client.sync()

    assert seen.log == [("account", "PushRulesEvent"), ("account", "UnknownBadEvent")]


async def test_openid_token(hs: MatrixHomeserver, client: Any) -> None:
    """The call for an OpenID token that nio has works."""
    response = await client.get_openid_token(ALICE)

    assert hs.openid_owner(response.access_token) == ALICE


async def test_filters(client: Any) -> None:
    """A filter that nio has uploaded can be used by its id."""
    uploaded = await client.upload_filter(presence={"types": []})
    response = await client.sync(sync_filter=uploaded.filter_id)

    assert nio.SyncResponse is type(response)


async def test_join_and_send(hs: MatrixHomeserver, client: Any) -> None:
    """A bot accepts an invite and says something."""
    hs.invite("alice", ROOM)
    await client.sync()
    joined = await client.join(ROOM)
    sent = await client.room_send(ROOM, "m.room.message", {"msgtype": "m.text", "body": "hi"})
    await client.sync()

    assert (ROOM, {ALICE}) == (joined.room_id, set(client.rooms[ROOM].users))
    assert [(sent.event_id, "hi")] == [(it.event_id, it.content["body"]) for it in hs.sent]
    assert client.invited_rooms == {}


async def test_discovery(hs: MatrixHomeserver, client: Any) -> None:
    """A client reads the well-known document."""
    hs.well_known = {
        "m.homeserver": {"base_url": hs.url},
        "m.identity_server": {"base_url": "https://is.test"},
    }

    response = await client.discovery_info()

    assert response.identity_server_url == "https://is.test"
