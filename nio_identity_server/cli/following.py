"""Following the user's choice by asking for it again and again.

Not by a sync: with the login of a bot it would take the bot's to-device messages, its keys among
them, and show the bot as online.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from nio_identity_server.cli.connection import Connection
from nio_identity_server.cli.explanations import explain
from nio_identity_server.cli.overview import kind_of, name_of
from nio_identity_server.cli.terminal import note
from nio_identity_server.endpoints.homeserver import GetAccountData
from nio_identity_server.errors import HomeserverError
from nio_identity_server.preference.account_data import (
    EVENT_TYPE,
    Chosen,
    NotSet,
    Preference,
    read_content,
)

_FOR_GOOD = range(400, 500)
_FOR_NOW = {408, 429}


async def follow(
    connection: Connection, tell: Callable[[Preference], None], interval: float
) -> None:
    """Tell what the user has chosen, and again whenever it has changed; never ends by itself.

    Args:
        connection: Whose choice it is.
        tell: Called with each preference.
        interval: Seconds between two questions.

    Raises:
        HomeserverError: If the homeserver refuses for good, the login for one.
    """
    known: Preference | None = None
    while True:
        wait = interval
        try:
            now = await _read(connection)
        except HomeserverError as error:
            if error.status in _FOR_GOOD and error.status not in _FOR_NOW:
                raise
            wait = max(interval, error.retry_after or 0.0)
            note(f"{explain(error)}; it is asked again in {wait:g} seconds")
        else:
            if now != known:
                tell(now)
            known = now
        await asyncio.sleep(wait)


async def _read(connection: Connection) -> Preference:
    endpoint = GetAccountData(connection.client.user_id, EVENT_TYPE)
    try:
        content = await connection.homeserver.ask(endpoint)
    except HomeserverError as error:
        if error.is_absence:
            return NotSet()
        raise
    return read_content(content, connection.server.config.named_in_code)


def to_text(choice: Preference) -> str:
    """A line for people."""
    return f"{datetime.now().astimezone():%H:%M:%S}  {name_of(choice)}"


def to_json(choice: Preference) -> str:
    """A line for programs."""
    base_url = str(choice.base_url) if isinstance(choice, Chosen) else None
    line = {"at": datetime.now(UTC), "choice": kind_of(choice), "base_url": base_url}
    return msgspec.json.encode(line).decode()
