"""The examples do what they say, as a reader would run them."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from examples import demo
from nio_identity_server.endpoints.discovery import Versions
from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer
from tests.real.servers import environment

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = "GET /_matrix/identity/versions"


async def run(example: str, *arguments: str, **variables: str) -> tuple[int | None, str, str]:
    """Run an example as a program; gives its exit status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        ROOT / "examples" / example,
        *arguments,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


@pytest_asyncio.fixture(name="homeserver")
async def _homeserver() -> AsyncIterator[MatrixHomeserver]:
    async with MatrixHomeserver() as server:
        server.register("alice", "secret")
        yield server


@pytest_asyncio.fixture(name="default")
async def _default() -> AsyncIterator[MatrixIdentityServer]:
    async with MatrixIdentityServer() as server:
        yield server


async def run_quickstart(
    homeserver: MatrixHomeserver, default: MatrixIdentityServer
) -> tuple[int | None, str, str]:
    """Run the ten-line bot of alice."""
    return await run(
        "quickstart.py",
        HOMESERVER=homeserver.url,
        USER_ID="@alice:example.test",
        PASSWORD="secret",
        IDENTITY_SERVER=default.url,
    )


async def test_quickstart_without_a_choice(
    homeserver: MatrixHomeserver, default: MatrixIdentityServer
) -> None:
    """The ten-line bot of a user who chose nothing uses its default, and writes nothing."""
    status, output, errors = await run_quickstart(homeserver, default)

    assert (status, errors) == (0, "")
    assert output.startswith("The user's choice: NotSet()\nIts server speaks: Versions(versions=('")
    assert [f"{each.method} {each.path}" for each in default.requests] == [VERSIONS]
    assert homeserver.writes == []


async def test_quickstart_switched_off(
    homeserver: MatrixHomeserver, default: MatrixIdentityServer
) -> None:
    """The ten-line bot of a user who said null says so, and opens no connection."""
    homeserver.set_account_data("alice", "m.identity_server", {"base_url": None})

    status, output, errors = await run_quickstart(homeserver, default)

    assert (status, errors) == (0, "")
    assert output.startswith("The user's choice: Disabled()\nNo answer: identity servers are")
    assert default.connections == 0


async def test_demo() -> None:
    """The demo plays all seven steps, in fewer than 60 lines, and complains of nothing."""
    status, output, errors = await run("demo.py")

    assert (status, errors) == (0, "")
    assert [f"{step}." for step in range(1, 8)] == re.findall(r"^\d\.", output, re.MULTILINE)
    assert output.endswith(
        "Each step did what it says. No identity server got a token of the homeserver.\n"
    )
    assert output.count("\n") < 60


async def test_demo_holds_calls() -> None:
    """As long as the choice is not known, the demo shows nothing sent to identity servers."""
    _, output, _ = await run("demo.py")
    steps = output.split("\n\n")

    for step in steps[1:3]:
        assert "-> identity server A: nothing\n   -> identity server B: nothing" in step
    assert steps[3].count(f"-> identity server A: {VERSIONS}") == 2


async def test_demo_finds_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step that does not do what it says fails the demo, which names the step."""

    async def lie(scene: demo.Scene) -> Versions:
        await scene.bot.identity_server.resolve()
        return Versions(())

    monkeypatch.setattr(demo.Scene, "call", lie)

    assert await demo.main(real=False) == 1
    assert "Step 3 FAILED: requests to the identity server A" in capsys.readouterr().out


@pytest.mark.real
@pytest.mark.skipif(not environment.is_installed(), reason='"make servers" installs Synapse')
async def test_demo_on_synapse() -> None:
    """The same steps go the same way in front of a real Synapse."""
    embedded, real = await run("demo.py"), await run("demo.py", "--real")
    steps = [output.partition("\n\n")[2] for _, output, _ in (embedded, real)]

    assert (real[0], real[2]) == (0, "")
    assert steps[0] == steps[1]
