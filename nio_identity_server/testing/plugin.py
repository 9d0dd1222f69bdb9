"""Fixtures for pytest: a homeserver and an identity server per test.

pytest loads this in every run once the package is installed, so it imports the servers only when a
test asks for one, and does without pytest-asyncio where that is missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

try:
    from pytest_asyncio import fixture
except ImportError:  # another plugin may run async fixtures, anyio's for one
    fixture = pytest.fixture  # type: ignore[assignment]

if TYPE_CHECKING:
    from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer


@fixture(name="matrix_homeserver")
async def _matrix_homeserver() -> AsyncIterator[MatrixHomeserver]:
    """A running homeserver named `example.test`, without users."""
    from nio_identity_server.testing import MatrixHomeserver  # noqa: PLC0415

    async with MatrixHomeserver() as server:
        yield server


@fixture(name="identity_server")
async def _identity_server(
    matrix_homeserver: MatrixHomeserver,
) -> AsyncIterator[MatrixIdentityServer]:
    """A running identity server that trusts the OpenID tokens of `matrix_homeserver`."""
    from nio_identity_server.testing import MatrixIdentityServer  # noqa: PLC0415

    async with MatrixIdentityServer(matrix_homeserver) as server:
        yield server
