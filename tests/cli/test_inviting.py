"""``invite``."""

from __future__ import annotations

import csv
import fcntl
import stat
from pathlib import Path
from typing import Any

import pytest

from nio_identity_server.cli.endings import ExitCode
from nio_identity_server.cli.invitations import open_ledger
from nio_identity_server.errors import (
    HomeserverError,
    IdentityServerChanged,
    IdentityServerError,
    OutcomeUnknown,
)
from nio_identity_server.threepid import email
from tests.cli.stage import Stage
from tests.cli.terminal import run_in_terminal


async def room(it: Stage) -> str:
    """Make a room, as another program of the user does."""
    import aiohttp  # noqa: PLC0415

    headers = {"Authorization": f"Bearer {it.alice.access_token}"}
    url = f"{it.homeserver.url}/_matrix/client/v3/createRoom"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json={}) as response,
    ):
        return str((await response.json())["room_id"])


@pytest.fixture(name="it")
def _it(it: Stage) -> Stage:
    it.homeserver.add_identity_server(it.a)
    it.homeserver.register("bob", "secret")
    it.a.bind("email", "bob@x.test", "@bob:example.test")
    return it


def rows(report: Path) -> list[dict[str, Any]]:
    """Read a report."""
    with report.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_invite(it: Stage) -> None:
    """Who is found is invited by user ID, the rest by mail."""
    room_id = await room(it)
    result = await it.run("invite", room_id, "bob@x.test", "Carol@x.test")

    assert result.exit_code == ExitCode.DONE
    assert result.stdout.splitlines() == [
        f"invited\t{room_id}\tbob@x.test\t@bob:example.test\t",
        f"mailed\t{room_id}\tcarol@x.test\t\t",
    ]
    assert result.stderr == "1 invited, 1 mailed\n"
    assert len(it.a.mails) == 1


async def test_invite_nobody_twice(it: Stage) -> None:
    """Who stands in the report is left out; who failed is tried again."""
    room_id, report = await room(it), it.folder / "report.csv"
    options = ("invite", room_id, "--report", report)
    first = await it.run(*options, "bob@x.test", "+49151", "dave@x.test")
    second = await it.run(*options, "bob@x.test", "+49151", "dave@x.test", "erin@x.test")

    assert first.exit_code == second.exit_code == ExitCode.PARTLY
    assert first.stderr == "1 invited, 1 failed, 1 mailed\n"
    assert second.stderr.splitlines() == [
        "2 are left out: the report says that they are invited, or may be",
        "1 failed, 1 mailed",
    ]
    assert [(row["result"], row["address"]) for row in rows(report)] == [
        *(("begun", "bob@x.test"), ("invited", "bob@x.test")),
        *(("begun", "+49151"), ("failed", "+49151")),
        *(("begun", "dave@x.test"), ("mailed", "dave@x.test")),
        *(("begun", "+49151"), ("failed", "+49151")),
        *(("begun", "erin@x.test"), ("mailed", "erin@x.test")),
    ]
    assert {row["room_id"] for row in rows(report)} == {room_id}
    assert "phone number" in rows(report)[3]["reason"]
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert len(it.a.mails) == 2


async def test_patience(it: Stage) -> None:
    """When the homeserver wants patience the rest is left, and the same command goes on later."""
    it.homeserver.limit_invites(1)
    room_id, report = await room(it), it.folder / "report.csv"
    path = it.file("list.txt", "a@x.test\nb@x.test\nc@x.test\n")
    options = ("invite", room_id, "--file", path, "--report", report)
    first = await it.run(*options)
    it.homeserver.limit_invites(None)
    second = await it.run(*options)

    assert first.exit_code == ExitCode.LATER
    assert first.stderr.startswith("1 mailed, 1 failed, 1 left\nerror: homeserver ")
    assert "try again in 400 seconds" in first.stderr
    assert (second.exit_code, len(it.a.mails)) == (ExitCode.DONE, 3)


async def test_an_invitation_whose_end_nobody_knows(it: Stage) -> None:
    """It is not sent again by itself."""
    room_id, report = await room(it), it.folder / "report.csv"
    it.homeserver.lose_next(path="/invite")
    options = ("invite", room_id, "carol@x.test", "--report", report)
    first = await it.run(*options)
    second = await it.run(*options)

    assert first.exit_code == ExitCode.UNKNOWN
    assert [row["result"] for row in rows(report)] == ["begun", "unknown"]
    assert second.stderr.endswith("nothing to do\n")
    assert len(it.a.mails) == 1


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (None, "mailed"),
        (HomeserverError(403, "M_FORBIDDEN", "no", "https://hs.test"), "failed"),
        (OutcomeUnknown(None, "M_UNKNOWN", "", "https://hs.test"), "unknown"),
        (IdentityServerChanged("https://id.test", "the choice changed"), "unknown"),
    ],
)
def test_results(tmp_path: Path, error: IdentityServerError | None, result: str) -> None:
    """What may have been done is not tried again, whatever came between."""
    report = tmp_path / "report.csv"
    with open_ledger(report, "!r:x") as ledger:
        ledger.note_result(email("carol@x.test"), None, error)
    with open_ledger(report, "!r:x") as ledger:
        left_out = email("carol@x.test") in ledger.before

    assert [row["result"] for row in rows(report)] == [result]
    assert left_out == (result != "failed")


async def test_what_is_no_address(it: Stage) -> None:
    """Nobody is invited, and the lines are told."""
    path = it.file("list.txt", "a@x.test\nnonsense\n")
    result = await it.run("invite", "!room:x", "--file", path)

    assert result.exit_code == ExitCode.USAGE
    assert result.stderr == "error: not addresses: line 2; nothing was sent\n"
    assert it.homeserver.requests == []


HEAD = "result,room_id,address,user_id,reason\n"


@pytest.mark.parametrize(
    ("last", "left_out"),
    [
        ("begun,ROOM,carol@x.test,,\n", True),
        ("begun,ROOM,carol@x.test,,\nmailed,ROOM,car", True),
        ("begun,ROOM,carol@x.te", False),
        ("begun,ROOM,carol@x.test,,\nfailed,ROOM,carol@x.test,,no\n", False),
        ("mailed,!other:x,carol@x.test,,\n", False),
    ],
)
async def test_a_run_that_was_killed(it: Stage, last: str, left_out: bool) -> None:
    """What was begun may have been done; a line that was cut off came before anything was done."""
    room_id = await room(it)
    report = it.file("report.csv", HEAD + last.replace("ROOM", room_id))
    result = await it.run("invite", room_id, "carol@x.test", "--report", report)

    assert result.exit_code == ExitCode.DONE
    assert len(it.a.mails) == (0 if left_out else 1)
    assert all(None not in row and None not in row.values() for row in rows(report))


async def test_two_at_once(it: Stage) -> None:
    """The second run does not begin."""
    report = it.file("report.csv", "")
    with report.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = await it.run("invite", "!r:x", "carol@x.test", "--report", report)

    assert result.exit_code == ExitCode.FAILED
    assert f"{report} is in use by another program" in result.stderr
    assert it.homeserver.requests == []


@pytest.mark.parametrize("text", ["a,b\n1,2\n", HEAD + "invited,!r:x,nonsense,,\n", "\xff\n"])
async def test_a_report_that_is_none(it: Stage, text: str) -> None:
    """A file of something else is left alone."""
    report = it.folder / "report.csv"
    report.write_text(text, encoding="latin-1")
    result = await it.run("invite", "!r:x", "a@x.test", "--report", report)

    assert result.exit_code == ExitCode.FAILED
    assert "is no report of invitations" in result.stderr
    assert report.read_text(encoding="latin-1") == text


async def test_a_bar_at_a_terminal(it: Stage) -> None:
    """A long list shows how far it came."""
    report = it.folder / "report.csv"
    code, screen = await run_in_terminal(
        it, "invite", await room(it), "bob@x.test", "carol@x.test", "--report", report
    )

    assert code == 0
    assert "100%" in screen
    assert "2 addresses" in screen
