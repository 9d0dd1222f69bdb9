"""A bot of alice on a stage, and what stories ask about it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from nio_identity_server import (
    Change,
    Chosen,
    IdentityDisabled,
    IdentityServer,
    IdentityServerConfig,
    MemoryTokenStore,
    NoIdentityServer,
    NotSet,
    Preference,
    parse_base_url,
)
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.testing import MatrixIdentityServer
from nio_identity_server.testing.signals import Signal
from tests.bots import Bot
from tests.scenarios.plain_client import OtherClient, User
from tests.scenarios.stage import Stage
from tests.scenarios.wiretap import SECONDS

IS = "/_matrix/identity/v2"
VERSIONS = ["GET /_matrix/identity/versions"]


def chosen(server: str | MatrixIdentityServer) -> Chosen:
    """The preference for a server."""
    return Chosen(parse_base_url(server if isinstance(server, str) else server.url))


@attrs.define(eq=False)
class Scene:
    """Alice, her bot and her other client.

    Attributes:
        stage: The servers.
        a: An embedded identity server; stories about the choice need no more of one than that it
            answers, and says what it received.
        b: Another one.
        alice: The user.
        tokens: The bot's token store, to see which token it has.
        changes: The changes that the bot has reported.
    """

    stage: Stage
    a: MatrixIdentityServer
    b: MatrixIdentityServer
    alice: User
    tokens: MemoryTokenStore = attrs.field(factory=MemoryTokenStore)
    changes: list[Change] = attrs.field(factory=list)
    _news: Signal = attrs.field(factory=Signal)
    _bots: list[Any] = attrs.field(factory=list)

    @property
    def other_client(self) -> OtherClient:
        """Alice's other client."""
        return OtherClient(self.stage.home_url, self.alice)

    @property
    def url(self) -> str:
        """The base URL of the stage's own identity server."""
        return self.stage.identity_server.url

    @property
    def reads(self) -> int:
        """How often the bot has read the choice by itself."""
        requests = self.stage.homeserver.requests
        return sum(
            each.startswith("GET ") and each.endswith("account_data/m.identity_server")
            for each in requests
        )

    @property
    def writes(self) -> int:
        """How often the bot has written the choice."""
        requests = self.stage.homeserver.requests
        return sum(
            each.startswith("PUT ") and each.endswith("account_data/m.identity_server")
            for each in requests
        )

    def bot(self, **settings: Any) -> Any:
        """Make a bot of alice, with these settings; the changes that it reports are kept."""
        config = IdentityServerConfig(
            **{
                "default": None,
                "trusted": [self.a.url, self.b.url, self.url],
                "ssl_context": self.stage.tls,
                "token_store": self.tokens,
                "sync_wait": 0.05,
                **settings,
            }
        )
        bot = Bot(self.stage.homeserver.url, identity_server_config=config)
        self._bots.append(bot)
        bot.user_id = self.alice.user_id
        bot.access_token = self.alice.access_token
        bot.device_id = self.alice.device_id
        bot.identity_server.on_change(self._changed)
        return bot

    async def speaker(self, **settings: Any) -> IdentityServer:
        """A bot whose user has chosen the stage's own identity server, with an open gate."""
        await self.other_client.write({"base_url": self.url})
        server: IdentityServer = self.bot(**settings).identity_server
        await server.resolve()
        return server

    def token(self) -> str:
        """The bot's token at the stage's own identity server."""
        token = self.tokens.load(self.alice.user_id, self.url)
        assert token is not None
        return token

    async def hears(self, new: Preference | None = None, count: int = 1) -> Change:
        """Wait for so many changes in all, and give the last of them."""

        def is_here() -> bool:
            changes = self.changes
            return len(changes) >= count and (new is None or changes[-1].new == new)

        await self._news.until(is_here, SECONDS, f"the change to {new}")
        return self.changes[-1]

    async def close(self) -> None:
        """Close all bots."""
        for bot in self._bots:
            await bot.close()

    def _changed(self, change: Change) -> None:
        self.changes.append(change)
        self._news.ring()


def calls(server: MatrixIdentityServer) -> list[str]:
    """What an identity server was asked."""
    return [f"{each.method} {each.path}" for each in server.requests]


async def goes_where_it_should(scene: Scene, server: IdentityServer) -> None:
    """A call goes to the chosen server and to no other, or nowhere."""
    for each in (scene.a, scene.b):
        each.clear()
    preference = server.preference
    if isinstance(preference, Chosen):
        await server.call(GetVersions())
    else:
        refusal = NoIdentityServer if preference == NotSet() else IdentityDisabled
        with pytest.raises(refusal):
            await server.call(GetVersions())
    assert calls(scene.a) == VERSIONS * (preference == chosen(scene.a))
    assert calls(scene.b) == VERSIONS * (preference == chosen(scene.b))


@asynccontextmanager
async def syncing(bot: Any) -> AsyncIterator[None]:
    """A bot in its sync loop, which has had its first answer."""
    synced = asyncio.Event()

    async def answered(_: object) -> None:
        synced.set()

    bot.add_response_callback(answered)
    task = asyncio.create_task(bot.sync_forever(timeout=30_000))
    waiting = asyncio.create_task(synced.wait())
    try:
        async with asyncio.timeout(SECONDS):
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield
    finally:
        waiting.cancel()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def when_called(answer: Callable[[], Any]) -> tuple[Callable[..., Any], asyncio.Future[Any]]:
    """A callback for nio that awaits something when it is first called, and what came of it."""
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def callback(*_: object) -> None:
        if not outcome.done():
            outcome.set_result(await answer())

    return callback, outcome
