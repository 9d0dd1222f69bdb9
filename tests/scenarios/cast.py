"""Users with a bot each, at an identity server that their homeserver knows too."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from nio_identity_server import IdentityServer, IdentityServerConfig
from tests.bots import Bot
from tests.canaries import Canaries
from tests.scenarios.plain_client import OtherClient, User, demand
from tests.scenarios.stage import Stage
from tests.scenarios.wiretap import SECONDS

_NUMBERS = itertools.count(1)


@attrs.frozen(eq=False)
class Role:
    """A user and their bot.

    Attributes:
        user: The user.
        bot: A nio client with the mixin.
        stage: The servers.
    """

    user: User
    bot: Any
    stage: Stage

    @property
    def server(self) -> IdentityServer:
        """The bot's identity server."""
        server: IdentityServer = self.bot.identity_server
        return server

    @property
    def other_client(self) -> OtherClient:
        """Another client of the user."""
        return OtherClient(self.stage.home_url, self.user)

    async def room(self) -> str:
        """Make a room."""
        url = f"{self.stage.home_url}/_matrix/client/v3/createRoom"
        answer = await demand("POST", url, token=self.user.access_token, body={})
        return str(answer["room_id"])

    async def invitations(self) -> set[str]:
        """The rooms that the user is invited to, as the next sync tells."""
        await self.bot.sync(full_state=True)
        return set(self.bot.invited_rooms)

    async def is_invited(self, room_id: str) -> None:
        """Sync until the user is invited: homeservers pass an invitation on in their own time."""
        async with asyncio.timeout(SECONDS):
            while room_id not in self.bot.invited_rooms:
                await self.bot.sync(timeout=1_000)


@attrs.frozen(eq=False)
class Cast:
    """Makes roles."""

    stage: Stage
    canaries: Canaries
    _bots: list[Any] = attrs.field(factory=list)
    _numbers: Iterator[int] = attrs.field(default=_NUMBERS)

    async def role(self, name: str, **settings: Any) -> Role:
        """Register somebody who chooses the stage's identity server."""
        user = await self.stage.user(name)
        self.canaries.homeserver_tokens.add(user.access_token)
        role = self._role(user, settings)
        await role.other_client.write({"base_url": self.stage.directory_url})
        return role

    def twin(self, role: Role) -> Role:
        """Another process of a user's bot."""
        return self._role(role.user, {})

    def _role(self, user: User, settings: dict[str, Any]) -> Role:
        url = self.stage.directory_url
        config = IdentityServerConfig(
            **{
                "default": None,
                "trusted": [url],
                "ssl_context": self.stage.tls,
                "sync_wait": 0.05,
                **settings,
            }
        )
        bot: Any = Bot(self.stage.homeserver.url, identity_server_config=config)
        self._bots.append(bot)
        bot.user_id, bot.access_token, bot.device_id = attrs.astuple(user)
        return Role(user, bot, self.stage)

    def address(self, pattern: str = "person{}@example.org") -> str:
        """An address that nobody has used before."""
        return pattern.format(next(self._numbers))

    def number(self) -> str:
        """A phone number that nobody has used before."""
        return f"+4420794{next(self._numbers):05}"[:13]


@asynccontextmanager
async def casting(stage: Stage, canaries: Canaries) -> AsyncIterator[Cast]:
    """Close every bot in the end."""
    cast = Cast(stage, canaries)
    try:
        yield cast
    finally:
        for bot in cast._bots:
            await bot.close()
