"""The place in which the bots run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.frameworks.place import Place, place


@pytest_asyncio.fixture(name="place")
async def _place(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path) as made:
        yield made
