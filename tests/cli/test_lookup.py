"""``lookup``, and what it leaves behind when it is interrupted."""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from nio_identity_server.cli.endings import ExitCode
from tests.cli.crowd import LOOKUP, MANY, asked, crowd
from tests.cli.stage import TERMS, Stage
from tests.cli.terminal import run_in_terminal


async def test_addresses(it: Stage) -> None:
    """Who is found is shown as they were spelt, and how many that are is told beside it."""
    it.a.bind("email", "bob@x.test", "@bob:x.test")
    it.a.bind("msisdn", "49151", "@carol:x.test")
    result = await it.run("lookup", "Bob@X.test", "+49 151", "nobody@x.test")

    assert result.exit_code == ExitCode.DONE
    assert result.stdout == "Bob@X.test\t@bob:x.test\n+49 151\t@carol:x.test\n"
    assert result.stderr == "2 of 3 addresses are on Matrix\n"


async def test_other_forms(it: Stage) -> None:
    """JSON and CSV, and nothing else on standard output."""
    it.a.bind("email", "bob@x.test", "@bob:x.test")
    as_json = await it.run("lookup", "bob@x.test", "--json")
    as_csv = await it.run("lookup", "bob@x.test", "--csv")

    assert json.loads(as_json.stdout) == {"address": "bob@x.test", "user_id": "@bob:x.test"}
    assert as_csv.stdout == "address,user_id\nbob@x.test,@bob:x.test\n"


async def test_standard_input(it: Stage) -> None:
    """Addresses can be typed, or come from another program."""
    it.a.bind("email", "bob@x.test", "@bob:x.test")
    result = await it.run("lookup", typed="nobody@x.test\nbob@x.test\n")

    assert result.stdout == "bob@x.test\t@bob:x.test\n"


async def test_a_long_list(it: Stage) -> None:
    """Any number of them, 5,000 in a request, and never as they are written."""
    result = await it.run("lookup", "--file", crowd(it))

    assert result.exit_code == ExitCode.DONE
    assert result.stderr == "124 of 12,345 addresses are on Matrix\n"
    assert result.stdout.count("\n") == 124
    assert [len(each.json["addresses"]) for each in it.a.seen("POST", LOOKUP)] == [5000, 5000, 2345]
    assert b"x.test" not in it.a.raw_bytes


async def test_what_is_no_address(it: Stage) -> None:
    """The rest is looked up; the lines are told, not what stands there."""
    path = it.file("list.txt", "a@x.test\nnonsense\n\nb@x.test\nmore nonsense\n")
    result = await it.run("lookup", "--file", path)

    assert result.exit_code == ExitCode.PARTLY
    assert result.stderr == "0 of 4 addresses are on Matrix\n2 are no addresses: lines 2, 5\n"
    assert len(it.a.seen("POST", LOOKUP)[0].json["addresses"]) == 2


async def test_a_csv(it: Stage) -> None:
    """A column of a CSV."""
    it.a.bind("email", "bob@x.test", "@bob:x.test")
    path = it.file("list.csv", "Name,Mail\nBob,bob@x.test\n")
    unnamed = await it.run("lookup", "--file", path)
    named = await it.run("lookup", "--file", path, "--column", "mail")

    assert unnamed.exit_code == ExitCode.USAGE
    assert named.stdout == "bob@x.test\t@bob:x.test\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("a@x.test", "--json", "--csv"),
        ("a@x.test", "--resume"),
        ("a@x.test", "--column", "mail"),
    ],
)
async def test_contradictions(it: Stage, arguments: tuple[str, ...]) -> None:
    """A misunderstanding is noticed before anything is asked."""
    assert (await it.run("lookup", *arguments)).exit_code == ExitCode.USAGE
    assert it.homeserver.requests == []


async def test_a_pipe(it: Stage) -> None:
    """A file that cannot be sought in is read all the same, part by part."""
    data, pipe = crowd(it).read_bytes(), it.folder / "pipe"
    os.mkfifo(pipe)
    writing = asyncio.create_task(asyncio.to_thread(pipe.write_bytes, data))
    result = await it.run("lookup", "--file", pipe)
    await writing

    assert (result.exit_code, asked(it)) == (ExitCode.DONE, MANY)


async def test_bytes_that_are_no_text(it: Stage) -> None:
    """They are no address, and keep the others from nothing."""
    result = await it.run("lookup", "a\udce9@x.test", "b@x.test")

    assert result.exit_code == ExitCode.PARTLY
    assert asked(it) == 1


async def test_an_output_that_cannot_be_written(it: Stage) -> None:
    """The message names it."""
    result = await it.run("lookup", "a@x.test", "--output", it.folder / "no" / "such")

    assert result.exit_code == ExitCode.FAILED
    assert result.stderr.startswith("error: [Errno 2] ")


async def test_terms(it: Stage) -> None:
    """Terms come first, and the message names the command."""
    it.a.require_terms(TERMS)
    result = await it.run("lookup", "a@x.test")

    assert result.exit_code == ExitCode.TERMS
    assert '"terms" shows and accepts them' in result.stderr


async def test_a_server_without_hashes(it: Stage) -> None:
    """Addresses go out in the clear only if that is said."""
    it.a.bind("email", "bob@x.test", "@bob:x.test")
    it.a.algorithms[:] = ["none"]
    refused = await it.run("lookup", "bob@x.test")
    allowed = await it.run("lookup", "bob@x.test", "--allow-plaintext")

    assert refused.exit_code == ExitCode.REFUSED
    assert "--allow-plaintext sends them" in refused.stderr
    assert allowed.stdout == "bob@x.test\t@bob:x.test\n"


async def test_switched_off(it: Stage) -> None:
    """Nothing is sent, and the file is not begun."""
    it.choose({"base_url": None})
    result = await it.run("lookup", "a@x.test")

    assert result.exit_code == ExitCode.NO_SERVER
    assert it.a.connections == 0


async def test_a_token_serves_the_next_command(it: Stage) -> None:
    """The user is registered once, whatever number of commands there are."""
    await it.run("lookup", "a@x.test")
    await it.run("lookup", "a@x.test")

    assert len(it.a.tokens) == 1


async def test_a_bar_at_a_terminal(it: Stage) -> None:
    """Whoever waits sees how far it came, how fast, and how long it takes."""
    output = it.folder / "found"
    code, screen = await run_in_terminal(it, "lookup", "--file", crowd(it), "--output", output)

    assert code == 0
    assert "100%" in screen
    assert "12,345 addresses" in screen
    assert "/s" in screen


async def test_no_bar_between_results(it: Stage) -> None:
    """Results that come up on the same terminal show it themselves."""
    it.a.bind("email", "bob@x.test", "@bob:x.test")
    code, screen = await run_in_terminal(it, "lookup", "bob@x.test")

    assert code == 0
    assert screen == "bob@x.test\t@bob:x.test\r\n1 of 1 addresses are on Matrix\r\n"


async def test_no_addresses_at_a_terminal(it: Stage) -> None:
    """It does not sit there and wait for something that nobody knows to type."""
    code, screen = await run_in_terminal(it, "lookup")

    assert code == ExitCode.USAGE
    assert "no addresses" in screen
