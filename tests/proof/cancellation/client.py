"""A client for one call, and what must not be left of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs

import nio_identity_server
from nio_identity_server import (
    Chosen,
    IdentityDisabled,
    IdentityServer,
    NoIdentityServer,
    Preference,
    TermsNotSigned,
)
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.preference.account_data import read_content
from tests.bots import EVENT, Bot, World, log_in

PACKAGE = Path(nio_identity_server.__file__).parent


@attrs.frozen
class Client:
    """A client of alice that has just been started.

    Attributes:
        it: The servers.
        bot: The nio client.
    """

    it: World
    bot: Any

    @property
    def server(self) -> IdentityServer:
        """The object under test."""
        server: IdentityServer = self.bot.identity_server
        return server

    @property
    def truth(self) -> Preference:
        """What the homeserver keeps of the choice."""
        content = self.it.homeserver.account_data(self.it.alice.user_id, EVENT)
        return read_content(content, self.server.config.named_in_code)

    async def rests(self) -> None:
        """No task of ours goes on, and no connection is in use."""
        await until(lambda: not list(_tasks_of_ours()), "a task is left")
        await until(lambda: not any(_acquired(self.bot)), "a connection is in use")

    async def goes_on(self) -> None:
        """What is believed is true, or is known to be uncertain; and the next call works."""
        await self.server.resolve()
        assert self.server.preference == self.truth, f"it believes {self.server.preference}"
        try:
            account = await self.server.call(GetAccount())
        except (IdentityDisabled, NoIdentityServer):
            assert not isinstance(self.truth, Chosen)
        except TermsNotSigned:
            assert self.it.a.accepted_terms.get(self.it.alice.user_id, set()) == set()
        else:
            assert account.user_id == self.it.alice.user_id


@asynccontextmanager
async def started(it: World, *, known: bool) -> AsyncIterator[Client]:
    """Start a client, and perhaps make a call; nothing of it is left when it is closed.

    The client that prepares the calls keeps one connection to each server.
    """
    bot = Bot(it.homeserver.url, identity_server_config=it.server.config)
    log_in(bot, it.alice)
    bot.identity_server.observer.note_sync()  # no call waits for one, which would take many rounds
    try:
        if known:  # the choice and the user are, so that there is something to be lost
            await bot.identity_server.call(GetAccount())
        yield Client(it, bot)
    finally:
        await bot.close()
    for server in (it.homeserver, it.a, it.b, it.c):
        most = 1 if server in {it.homeserver, it.a} else 0
        await until(
            lambda server=server, most=most: len(server._lines.open) <= most,  # type: ignore[misc]
            f"a connection to {server.url} is left",
        )
    await until(lambda: not list(_tasks_of_ours()), "a task is left after close()")


async def until(condition: Callable[[], bool], otherwise: str) -> None:
    """Let the loop go round until something holds (5 s at most)."""
    ends = asyncio.get_running_loop().time() + 5
    while not condition():
        assert asyncio.get_running_loop().time() < ends, otherwise
        await asyncio.sleep(0)


def _tasks_of_ours() -> Iterator[asyncio.Task[Any]]:
    for task in asyncio.all_tasks():
        code = getattr(task.get_coro(), "cr_code", None)
        file = Path(code.co_filename) if code else Path()
        if PACKAGE in file.parents and PACKAGE / "testing" not in file.parents:
            yield task


def _acquired(bot: Any) -> Iterator[set[Any]]:
    """The connections that a request has, of our sessions and of nio's."""
    sessions = list(bot.identity_server._connections._sessions.values())
    sessions += [bot.client_session] if bot.client_session else []
    for session in sessions:
        if session.connector is not None:
            yield session.connector._acquired
