"""A transport for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from nio_identity_server.client.transport import Transport
from tests.client.transport.stage import transport_for


@pytest.fixture(name="transport")
async def _transport() -> AsyncIterator[Transport]:
    async with transport_for() as transport:
        yield transport
