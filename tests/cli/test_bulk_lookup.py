"""A long lookup: what it leaves behind, and how it goes on."""

from __future__ import annotations

import asyncio

import pytest
from click.testing import Result

from nio_identity_server.cli.address_book import Entry
from nio_identity_server.cli.bulk_lookup import BulkLookup
from nio_identity_server.cli.checkpoint import Progress, StandardOutput
from nio_identity_server.cli.connection import Connection, run
from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.results import Form
from nio_identity_server.cli.settings import Settings
from nio_identity_server.preference.evidence import SyncRequest
from tests.cli.crowd import LOOKUP, MANY, asked, crowd
from tests.cli.stage import Stage


async def broken_off(it: Stage, *arguments: object) -> Result:
    """Run a lookup whose second request is refused."""
    async with it.a.hold(path=LOOKUP) as hold:
        running = asyncio.create_task(it.run("lookup", *arguments))
        await hold.reached(1)
        it.a.reject_next(403, path=LOOKUP)
    result = await running
    it.a.clear()
    return result


@pytest.mark.parametrize("form", [(), ("--csv",), ("--json",)])
async def test_interrupted_and_gone_on_with(it: Stage, form: tuple[str, ...]) -> None:
    """Nothing is lost, nothing is asked twice, and nothing stands there twice."""
    path, output = crowd(it), it.folder / "found"
    whole = (await it.run("lookup", "--file", path, *form)).stdout
    options = ("--file", path, "--output", output, "--resume", *form)
    first = await broken_off(it, *options)
    second = await it.run("lookup", *options)

    assert first.exit_code == ExitCode.REFUSED
    assert f"5,000 addresses are done and kept in {output}; --resume goes on" in first.stderr
    assert (second.exit_code, asked(it)) == (ExitCode.DONE, MANY - 5000)
    assert second.stderr == "124 of 12,345 addresses are on Matrix\n"
    assert output.read_text() == whole


async def test_nothing_was_done(it: Stage) -> None:
    """Then the next run is the first, with ``--resume`` or without."""
    output = it.folder / "found"
    it.choose({"base_url": None})
    first = await it.run("lookup", "a@x.test", "--output", output)
    left = list(it.folder.glob("found*"))
    it.choose({"base_url": it.a.url})
    second = await it.run("lookup", "a@x.test", "--output", output)

    assert (first.exit_code, left) == (ExitCode.NO_SERVER, [])
    assert "--resume" not in first.stderr
    assert second.exit_code == ExitCode.DONE


async def test_interrupted_without_a_file(it: Stage) -> None:
    """How it could have been gone on with is told."""
    result = await broken_off(it, "--file", crowd(it))

    assert "5,000 addresses are done; with --output a lookup can be gone on with" in result.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("list", "with another list"),
        ("form", "in another form, as json"),
        ("server", "at another server, "),
    ],
)
async def test_going_on_with_something_else(it: Stage, change: str, message: str) -> None:
    """Results of two lists, in two forms, or of two servers do not get into one file."""
    path, output = crowd(it), it.folder / "found"
    options = ("--file", path, "--output", output, "--resume")
    await broken_off(it, *options, "--json")
    if change == "list":
        it.file("list.txt", path.read_text().replace("P0@", "Q0@"))
    elif change == "server":
        it.choose({"base_url": it.b.url})
    result = await it.run("lookup", *options, *([] if change == "form" else ["--json"]))

    assert result.exit_code == ExitCode.USAGE
    assert f"the lookup was begun {message}" in result.stderr
    assert asked(it) == 0
    assert it.b.seen("POST", LOOKUP) == []


async def test_what_was_no_address_in_an_earlier_run(it: Stage) -> None:
    """How many there are is known, though not where."""
    crowd(it)
    path = it.file("list.txt", "nonsense\n" + (it.folder / "list.txt").read_text())
    options = ("--file", path, "--output", it.folder / "found", "--resume")
    await broken_off(it, *options)
    result = await it.run("lookup", *options)

    assert result.exit_code == ExitCode.PARTLY
    assert result.stderr.endswith("1 are no addresses: among those of the earlier run\n")


async def test_the_choice_changes_meanwhile(it: Stage) -> None:
    """The rest of the list is not sent to the other server."""
    bulk, changed = BulkLookup(StandardOutput(), Form.TEXT, allow_plaintext=False), []

    async def work(connection: Connection) -> None:
        def tell(_: Progress) -> None:
            changed.append(True)
            observer = connection.server.observer
            observer.observe([{"base_url": it.b.url}], SyncRequest(since=True), None)

        entries = (Entry(number, f"p{number}@x.test") for number in range(MANY))
        await bulk.run(connection.server, entries, tell)

    settings = Settings(credentials_file=it.credentials, trust=(it.a.url, it.b.url))
    with pytest.raises(Failure, match="changed") as caught:
        await asyncio.to_thread(run, settings, work)

    assert caught.value.exit_code == ExitCode.CHANGED
    assert (asked(it), it.b.connections) == (5000, 0)
