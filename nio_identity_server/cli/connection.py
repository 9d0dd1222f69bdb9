"""From a login to the user's identity server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

import attrs

from nio_identity_server.cli.endings import ExitCode, Failure, fails_in_one_line
from nio_identity_server.cli.explanations import failure
from nio_identity_server.cli.folders import state_folder
from nio_identity_server.cli.homeserver_client import HomeserverClient
from nio_identity_server.cli.settings import Settings
from nio_identity_server.cli.terminal import note
from nio_identity_server.client.config import WELL_KNOWN, IdentityServerConfig
from nio_identity_server.client.homeserver import Homeserver
from nio_identity_server.client.identity_server import IdentityServer
from nio_identity_server.client.tokens import FileTokenStore
from nio_identity_server.endpoints.homeserver import GetTokenOwner
from nio_identity_server.errors import IdentityServerError

HOMESERVER_TIMEOUT = 60.0
"""Seconds for one homeserver request, waits for 429 included."""

Result = TypeVar("Result")


@attrs.frozen
class Connection:
    """Who asks, and whom.

    Attributes:
        client: The login.
        homeserver: The user's homeserver.
        server: The user's identity server.
    """

    client: HomeserverClient
    homeserver: Homeserver
    server: IdentityServer


def run(settings: Settings, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    """Do something with the user's identity server, and end the program if it fails.

    Raises:
        Failure: If it fails.
    """
    logging.getLogger("stamina").addHandler(logging.NullHandler())  # -v shows what we say of it
    with fails_in_one_line(), _shown_log() if settings.verbose else nullcontext():
        try:
            _ = settings.credentials, settings.tls
            return asyncio.run(_connected(settings, work))
        except IdentityServerError as caught:
            ending = failure(caught, verbose=settings.verbose)
        except ValueError as caught:  # a file of tokens, or the URL of a proxy, that is none
            ending = Failure(str(caught), ExitCode.FAILED)
        raise ending


async def _connected(settings: Settings, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    config = IdentityServerConfig(
        default=settings.default or WELL_KNOWN,
        trusted=settings.trust,
        homeserver_timeout=HOMESERVER_TIMEOUT,
        token_store=_token_store(),
        ssl_context=settings.tls,
    )
    async with HomeserverClient.of(settings.credentials, settings) as client:
        homeserver = Homeserver(client, HOMESERVER_TIMEOUT)
        if not client.user_id:
            client.user_id = (await homeserver.ask(GetTokenOwner())).user_id
        server = IdentityServer(client, config)
        server.observer.note_sync()  # there is none to wait for
        try:
            return await work(Connection(client, homeserver, server))
        finally:
            await server.close()


def _token_store() -> FileTokenStore | None:
    """Where a token is kept for the next command; nowhere if the system has no place for it."""
    try:
        return FileTokenStore(state_folder() / "tokens.json")
    except OSError as error:
        note(f"warning: tokens are not kept: {error}")
        return None


@contextmanager
def _shown_log() -> Iterator[None]:
    """Show what the package logs, which holds nobody's address and no token."""
    log, handler = logging.getLogger("nio_identity_server"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
