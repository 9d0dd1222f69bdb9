"""A bot of user alice on embedded servers: what most tests of behaviour begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
from nio import AsyncClient, AsyncClientConfig

from nio_identity_server import IdentityServer, IdentityServerConfig, IdentityServerMixin
from nio_identity_server.testing import Account, MatrixHomeserver, MatrixIdentityServer, Request

EVENT = "m.identity_server"
DATA = "account_data/m.identity_server"


class Bot(IdentityServerMixin, AsyncClient):  # type: ignore[misc] # nio is untyped
    """The bot of the README."""


@attrs.frozen
class World:
    """A homeserver with the users alice and bob, identity servers a, b and c, and alice's bot."""

    homeserver: MatrixHomeserver
    a: MatrixIdentityServer
    b: MatrixIdentityServer
    c: MatrixIdentityServer
    alice: Account
    bob: Account
    bot: Any

    @property
    def server(self) -> IdentityServer:
        """The object under test."""
        server: IdentityServer = self.bot.identity_server
        return server

    def other_client_sets(self, content: Any, user: Account | None = None) -> None:
        """Another client of the user writes the event, with any content."""
        self.homeserver.set_account_data((user or self.alice).user_id, EVENT, content)

    def other_client_picks(self, server: MatrixIdentityServer) -> None:
        """Another client of alice picks this server."""
        self.other_client_sets({"base_url": server.url})

    @property
    def reads(self) -> list[Request]:
        """The GETs of the event that the homeserver has received."""
        return self.homeserver.seen("GET", DATA)

    @property
    def writes(self) -> list[Any]:
        """The contents of the event that clients have written over HTTP."""
        return [write.content for write in self.homeserver.writes if write.type == EVENT]

    @property
    def spoken_to(self) -> str:
        """The names of the identity servers that anything was sent to, in alphabetical order."""
        return "".join(name for name in "abc" if getattr(self, name).connections)


def log_in(bot: Any, account: Account) -> None:
    """Assign a login directly, as frameworks do."""
    bot.user_id = account.user_id
    bot.access_token = account.access_token
    bot.device_id = account.device_id


@asynccontextmanager
async def world(
    *,
    default: Any = None,
    bot_class: type = Bot,
    nio_config: AsyncClientConfig | None = None,
    **settings: Any,
) -> AsyncIterator[World]:
    """Start the servers and make alice's bot.

    Args:
        default: The name of the identity server that is the default, ``WELL_KNOWN``, or None.
        bot_class: The class of the bot.
        nio_config: nio's own configuration.
        settings: More of ``IdentityServerConfig``.
    """
    async with AsyncExitStack() as stack:
        homeserver = await stack.enter_async_context(MatrixHomeserver())
        servers = {
            name: await stack.enter_async_context(MatrixIdentityServer(homeserver))
            for name in "abc"
        }
        config = IdentityServerConfig(
            default=servers[default].url if isinstance(default, str) else default,
            trusted=[server.url for server in servers.values()],
            **{"sync_wait": 0.05, "homeserver_timeout": 5.0, **settings},
        )
        alice, bob = homeserver.register("alice"), homeserver.register("bob")
        bot = bot_class(homeserver.url, config=nio_config, identity_server_config=config)
        log_in(bot, alice)
        stack.push_async_callback(bot.close)
        yield World(homeserver, **servers, alice=alice, bob=bob, bot=bot)
