"""Alice at an identity server that her homeserver knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nio_identity_server import (
    PendingValidation,
)
from nio_identity_server.endpoints.account import GetAccount
from tests.bots import World, world

ADDRESS = "canary@example.org"
NUMBER = "+442079460000"
REQUEST = "validate/.*/requestToken"


@asynccontextmanager
async def known(**settings: Any) -> AsyncIterator[World]:
    """Alice is known to server a, which her homeserver knows too."""
    async with world(default="a", **settings) as it:
        it.homeserver.add_identity_server(it.a)
        await it.server.call(GetAccount())
        it.a.clear()
        yield it


async def validated(it: World, address: str = ADDRESS) -> PendingValidation:
    """Validate an address."""
    validation = await it.server.request_token(address)
    await it.server.submit_token(validation, it.a.mails[-1].token)
    return validation
