"""Following the user's choice by a sync that tells of nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec

from nio_identity_server.cli.connection import Connection
from nio_identity_server.cli.explanations import explain
from nio_identity_server.cli.overview import kind_of, name_of
from nio_identity_server.cli.terminal import note
from nio_identity_server.client.change import Change
from nio_identity_server.endpoints.homeserver import Sync
from nio_identity_server.errors import HomeserverError
from nio_identity_server.preference.account_data import EVENT_TYPE, Chosen, Preference
from nio_identity_server.preference.evidence import SyncRequest

WAIT = 30_000
"""Milliseconds that the homeserver may take to have something to tell."""

PAUSE = 5.0
"""Seconds after the homeserver did not answer."""

FILTER = json.dumps(
    {
        "account_data": {"types": [EVENT_TYPE]},
        "presence": {"types": []},
        "room": {"rooms": [], "account_data": {"types": []}},
    }
)


async def follow(connection: Connection, tell: Callable[[Preference], None]) -> None:
    """Tell what the user has chosen, and again whenever it changes; never ends by itself.

    Args:
        connection: Whose choice it is.
        tell: Called with each preference.

    Raises:
        HomeserverError: If the login is refused.
        NotConfirmed: If the homeserver does not answer at the beginning.
    """
    server, since = connection.server, ""
    await server.resolve()
    tell(server.preference)

    def changed(change: Change) -> None:
        tell(change.new)

    server.on_change(changed)
    while True:
        try:
            since = await _sync(connection, since)
        except HomeserverError as error:
            if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                raise
            note(f"{explain(error)}; it is asked again in {PAUSE:g} seconds")
            await asyncio.sleep(PAUSE)


async def _sync(connection: Connection, since: str) -> str:
    """Wait for news; the package judges them as it judges nio's."""
    synced = await connection.homeserver.ask(Sync(FILTER, since, WAIT if since else 0))
    request = SyncRequest(since=bool(since), filter=FILTER)
    token = connection.client.access_token
    connection.server.observer.observe(synced.contents(EVENT_TYPE), request, token)
    return synced.next_batch


def to_text(choice: Preference) -> str:
    """A line for people."""
    return f"{datetime.now().astimezone():%H:%M:%S}  {name_of(choice)}"


def to_json(choice: Preference) -> str:
    """A line for programs."""
    base_url = str(choice.base_url) if isinstance(choice, Chosen) else None
    line = {"at": datetime.now(UTC), "choice": kind_of(choice), "base_url": base_url}
    return msgspec.json.encode(line).decode()
