"""The second demo tells the same story on both stages, and notices when something goes wrong."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from examples import lookup_demo
from nio_identity_server.testing import MatrixIdentityServer
from tests.real.servers import environment

ROOT = Path(__file__).resolve().parents[2]


async def run(*arguments: str) -> tuple[int | None, str, str]:
    """Run the demo as a program; gives its exit status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", str(ROOT / "examples" / "lookup_demo.py"), *arguments),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


def steps(output: str) -> str:
    """The steps without the names and addresses of one start."""
    return re.sub(r"@bob:[^ ]*", "@bob", output.partition("\n\n")[2])


async def test_lookup_demo() -> None:
    """It plays all six steps and complains of nothing."""
    status, output, errors = await run()

    assert (status, errors) == (0, "")
    numbers = re.findall(r"^(\d)\.", output, re.MULTILINE)
    assert numbers == list("123456")
    assert output.endswith("A got hashes only, and no token of the homeserver.\n")


@pytest.mark.real
@pytest.mark.skipif(not environment.is_installed(), reason='"make servers" installs them')
async def test_lookup_demo_on_real_servers() -> None:
    """The same steps go the same way in front of a real Synapse and a real Sydent."""
    (_, embedded, _), (status, real, errors) = await run(), await run("--real")

    assert (status, errors) == (0, "")
    assert steps(real) == steps(embedded)


async def test_lookup_demo_finds_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step that does not do what it says fails the demo, which names the step."""
    monkeypatch.setattr(MatrixIdentityServer, "rotate_pepper", lambda _: None)

    assert await lookup_demo.main(real=False) == 1
    told = capsys.readouterr().out
    assert "Step 4 FAILED: requests to the identity server A: expected POST lookup, GET" in told
