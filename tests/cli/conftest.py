from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.stage import Stage, stage


@pytest_asyncio.fixture(name="it")
async def _it(tmp_path: Path, folders: None) -> AsyncIterator[Stage]:  # noqa: ARG001
    """A user who chose a server that runs, and the command."""
    async with stage(tmp_path) as it:
        yield it


@pytest.fixture(name="folders", autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a test keeps gets into the folders of whoever runs it."""
    for kind in ("state", "config"):
        monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", str(tmp_path / kind))
