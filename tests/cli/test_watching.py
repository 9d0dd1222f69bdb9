"""``watch``."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from nio_identity_server.cli.connection import Connection, run
from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.following import follow, to_json, to_text
from nio_identity_server.cli.settings import Settings
from nio_identity_server.preference.account_data import Chosen, Disabled, NotSet, Preference
from tests.cli.stage import Stage


class Enough(Exception):
    """Ends a command that never ends by itself."""


async def watched(it: Stage, changes: list[Any]) -> list[Preference]:
    """What is told while other clients make changes, each after the one before was told."""
    told: list[Preference] = []
    left = list(changes)
    loop, enough = asyncio.get_running_loop(), asyncio.Event()

    def tell(choice: Preference) -> None:
        told.append(choice)
        if left:
            loop.call_soon_threadsafe(it.choose, left.pop(0))
        else:
            loop.call_soon_threadsafe(enough.set)

    async def work(connection: Connection) -> None:
        following = asyncio.create_task(follow(connection, tell))
        while not enough.is_set():
            done, _ = await asyncio.wait([following], timeout=0.01)
            if done:
                break
        following.cancel()
        await following

    settings = Settings(credentials_file=it.credentials, trust=(it.a.url, it.b.url))
    with pytest.raises(asyncio.CancelledError):
        await asyncio.to_thread(run, settings, work)
    return told


async def test_changes_as_they_happen(it: Stage) -> None:
    """The choice, and whatever other clients make of it, at once."""
    told = await watched(it, [{"base_url": it.b.url}, {"base_url": None}, {}])

    assert [type(each) for each in told] == [Chosen, Chosen, Disabled, NotSet]
    assert str(told[1].base_url) == it.b.url  # type: ignore[union-attr] # it is Chosen
    assert (it.a.connections, it.b.connections) == (0, 0)


async def test_a_homeserver_that_stumbles(
    it: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is asked again, and whoever watches is told."""
    monkeypatch.setattr("nio_identity_server.cli.following.PAUSE", 0.01)
    it.homeserver.reject_next(502, path="/sync", times=2)
    told = await watched(it, [{"base_url": it.b.url}])

    assert len(told) == 2
    assert capsys.readouterr().err.count("it is asked again in") == 2


async def test_a_login_that_ends(it: Stage) -> None:
    """Nobody waits for what cannot come."""
    it.homeserver.reject_next(401, "M_UNKNOWN_TOKEN", path="/sync")
    result = await it.run("watch")

    assert result.exit_code == ExitCode.HOMESERVER
    assert result.stdout.endswith(f"  {it.a.url}\n")


async def test_a_wrong_token(it: Stage) -> None:
    """It ends at once."""
    result = await it.run("watch", "--json", MATRIX_ACCESS_TOKEN="wrong")

    assert result.exit_code == ExitCode.HOMESERVER
    assert "M_UNKNOWN_TOKEN" in result.stderr


async def test_interrupted(it: Stage) -> None:
    """By Ctrl-C, which has an exit code of its own."""

    async def work(_: Connection) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Failure, match="interrupted") as caught:
        await asyncio.to_thread(run, Settings(credentials_file=it.credentials), work)

    assert caught.value.exit_code == ExitCode.INTERRUPTED


def test_lines() -> None:
    """A time and a choice, for people and for programs."""
    assert to_text(Disabled())[8:] == "  switched off"
    line = json.loads(to_json(NotSet()))
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line == {"choice": "not set", "base_url": None}
