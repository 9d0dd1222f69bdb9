"""``watch``."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from nio_identity_server.cli.connection import Connection, run
from nio_identity_server.cli.endings import ExitCode, Failure, Terminated
from nio_identity_server.cli.following import follow, to_json, to_text
from nio_identity_server.cli.settings import Settings
from nio_identity_server.preference.account_data import Chosen, Disabled, NotSet, Preference
from tests.cli.stage import Stage

OFTEN = 0.01


async def watched(it: Stage, changes: list[Any]) -> list[Preference]:
    """What is told while other clients make changes, each after the one before was told."""
    told: list[Preference] = []
    left, loop = list(changes), asyncio.get_running_loop()

    def tell(choice: Preference) -> None:
        told.append(choice)
        if not left:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(it.choose, left.pop(0))

    settings = Settings(credentials_file=it.credentials, trust=(it.a.url, it.b.url))
    with pytest.raises(Failure, match="interrupted"):
        await asyncio.to_thread(run, settings, lambda here: follow(here, tell, OFTEN))
    return told


async def test_changes_as_they_happen(it: Stage) -> None:
    """The choice, and whatever other clients make of it."""
    told = await watched(it, [{"base_url": it.b.url}, {"base_url": None}, {}])

    assert [type(each) for each in told] == [Chosen, Chosen, Disabled, NotSet]
    assert str(told[1].base_url) == it.b.url  # type: ignore[union-attr] # it is Chosen
    assert (it.a.connections, it.b.connections) == (0, 0)


async def test_an_account_that_never_chose(it: Stage) -> None:
    """No event is no choice."""
    it.homeserver.delete_account_data(it.alice.user_id, "m.identity_server")

    assert await watched(it, []) == [NotSet()]


async def test_nothing_new(it: Stage) -> None:
    """What is told once is not told again as long as it stays."""
    told: list[Preference] = []
    asked = it.homeserver.seen("GET", "account_data")

    async def work(connection: Connection) -> None:
        following = asyncio.create_task(follow(connection, told.append, OFTEN))
        while len(it.homeserver.seen("GET", "account_data")) < len(asked) + 3:  # noqa: ASYNC110 - of another loop
            await asyncio.sleep(OFTEN)
        following.cancel()
        await asyncio.wait([following])

    await asyncio.to_thread(run, Settings(credentials_file=it.credentials), work)

    assert len(told) == 1


@pytest.mark.parametrize("interval", ["0", "nan", "inf", "-1"])
async def test_a_time_that_is_none(it: Stage, interval: str) -> None:
    """It is refused before anything is asked."""
    result = await it.run("watch", "--interval", interval)

    assert (result.exit_code, it.homeserver.requests) == (ExitCode.USAGE, [])


async def test_no_sync(it: Stage) -> None:
    """A sync with the login of a bot would take the bot's messages, its keys among them."""
    it.homeserver.send_to_device(it.alice.user_id, "m.room_key", {"n": 1})
    await watched(it, [{}])

    assert it.homeserver.seen("GET", "/sync") == []


async def test_a_homeserver_that_stumbles(
    it: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is asked again, when it wants to be, and whoever watches is told."""
    monkeypatch.setattr("nio_identity_server.cli.connection.HOMESERVER_TIMEOUT", 0.4)
    it.homeserver.reject_next(502, path="account_data")
    it.homeserver.reject_next(429, "M_LIMIT_EXCEEDED", path="account_data", retry_after_ms=500)
    told = await watched(it, [])

    assert len(told) == 1
    notes = capsys.readouterr().err
    assert "it is asked again in 0.01 seconds" in notes
    assert "it is asked again in 0.5 seconds" in notes


@pytest.mark.parametrize(
    ("status", "errcode"), [(401, "M_UNKNOWN_TOKEN"), (403, "M_FORBIDDEN"), (404, "M_UNRECOGNIZED")]
)
async def test_a_refusal_for_good(it: Stage, status: int, errcode: str) -> None:
    """Nobody waits for what cannot come."""
    it.homeserver.reject_next(status, errcode, path="account_data", times=None)
    result = await it.run("watch")

    assert result.exit_code == ExitCode.HOMESERVER
    assert errcode in result.stderr


async def test_a_wrong_token(it: Stage) -> None:
    """It ends at once."""
    result = await it.run("watch", "--json", MATRIX_ACCESS_TOKEN="wrong")

    assert result.exit_code == ExitCode.HOMESERVER
    assert "M_UNKNOWN_TOKEN" in result.stderr


@pytest.mark.parametrize(
    ("signal", "code"),
    [(KeyboardInterrupt, ExitCode.INTERRUPTED), (Terminated, ExitCode.TERMINATED)],
)
async def test_interrupted(it: Stage, signal: type[BaseException], code: int) -> None:
    """Each way has an exit code of its own."""

    async def work(_: Connection) -> None:
        raise signal

    with pytest.raises(Failure, match=r"interrupted|terminated") as caught:
        await asyncio.to_thread(run, Settings(credentials_file=it.credentials), work)

    assert caught.value.exit_code == code


def test_lines() -> None:
    """A time and a choice, for people and for programs."""
    assert to_text(Disabled())[8:] == "  switched off"
    line = json.loads(to_json(NotSet()))
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line == {"choice": "not set", "base_url": None}
