"""``bind``, ``unbind`` and ``shared``."""

from __future__ import annotations

import asyncio
import json
import stat
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientSession
from click.testing import Result

from nio_identity_server.cli.endings import ExitCode
from tests.cli.stage import Stage
from tests.cli.terminal import run_in_terminal

NUMBER = "+442079460000"


@pytest.fixture(name="it")
def _it(it: Stage) -> Stage:
    it.homeserver.add_identity_server(it.a)
    return it


def kept(it: Stage) -> list[Path]:
    """The validations that are kept for another run."""
    return list((it.folder / "state").rglob("validation-*.json"))


async def open_link(it: Stage) -> None:
    """Open the link in the last mail, as the user does."""
    async with ClientSession() as session, session.get(it.a.mails[-1].link) as page:
        assert page.status == HTTPStatus.OK


async def bind_by_mail(it: Stage, *options: object) -> Result:
    """Run the command, and open the link while it waits."""
    async with it.a.hold("GET", "getValidated3pid", times=1) as hold:
        running = asyncio.create_task(it.run("bind", "Alice@x.test", *options))
        await hold.reached(1)
        await open_link(it)
    return await running


async def test_bind_by_mail(it: Stage) -> None:
    """The mail is sent, its link is waited for, and the address is bound."""
    result = await bind_by_mail(it)

    assert result.exit_code == ExitCode.DONE
    assert result.stderr.splitlines() == [
        "a mail was sent",
        "waiting until its link is opened; Ctrl-C ends the waiting, not the validation",
        "bound",
    ]
    assert it.a.bindings == {("email", "alice@x.test"): it.alice.user_id}
    assert kept(it) == []


async def test_bind_goes_on_in_another_run(it: Stage) -> None:
    """Nobody gets a second mail because the waiting was interrupted."""
    first = await it.run("bind", "alice@x.test", "--timeout", "0.01")
    (file,) = kept(it)
    mode, name = stat.S_IMODE(file.stat().st_mode), file.name
    await open_link(it)
    second = await it.run("bind", "ALICE@x.test")

    assert first.exit_code == ExitCode.LATER
    assert "open the link in the mail, then run the same command again" in first.stderr
    assert second.exit_code == ExitCode.DONE
    assert "going on with what was sent before; --resend sends it again" in second.stderr
    assert len(it.a.mails) == 1
    assert (mode, "alice" in name, kept(it)) == (0o600, False, [])


async def test_bind_with_another_mail(it: Stage) -> None:
    """``--resend`` sends it again, within the same validation."""
    await it.run("bind", "alice@x.test", "--timeout", "0.01")
    await it.run("bind", "alice@x.test", "--timeout", "0.01", "--resend")

    assert len(it.a.mails) == 2
    sids = {each.json.get("client_secret") for each in it.a.seen("POST", "requestToken")}
    assert len(sids) == 1


async def test_bind_at_another_server(it: Stage) -> None:
    """What was begun at the old server is begun anew."""
    await it.run("bind", "alice@x.test", "--timeout", "0.01")
    it.choose({"base_url": it.b.url})
    await it.run("bind", "alice@x.test", "--timeout", "0.01")

    assert (len(it.a.mails), len(it.b.mails)) == (1, 1)


async def test_bind_too_late(it: Stage) -> None:
    """A validation that has expired is forgotten, and the message says what to do."""
    await it.run("bind", "alice@x.test", "--timeout", "0.01")
    it.a.expire_validations()
    late = await it.run("bind", "alice@x.test")

    assert late.exit_code == ExitCode.REFUSED
    assert "run the same command again to begin anew" in late.stderr
    assert kept(it) == []


@pytest.mark.parametrize("text", ["{}", ""])
async def test_a_kept_validation_that_is_damaged(it: Stage, text: str) -> None:
    """It is begun anew."""
    await it.run("bind", "alice@x.test", "--timeout", "0.01")
    kept(it)[0].write_text(text)
    await it.run("bind", "alice@x.test", "--timeout", "0.01")

    assert len(it.a.mails) == 2


async def test_bind_a_number(it: Stage) -> None:
    """The token of the SMS is read from standard input; a wrong one can be corrected."""
    wrong = await it.run("bind", NUMBER, "--country", "GB", typed="000000\n")
    token = it.a.sms[-1].token
    right = await it.run("bind", NUMBER, typed=f"{token}\n")

    assert wrong.exit_code == ExitCode.REFUSED
    assert right.exit_code == ExitCode.DONE
    assert len(it.a.sms) == 1
    assert it.a.bindings == {("msisdn", "442079460000"): it.alice.user_id}


async def test_bind_a_number_whose_country_is_known(it: Stage) -> None:
    """The extra ``[phone]`` knows it."""
    await it.run("bind", NUMBER)

    assert it.a.seen("POST", "requestToken")[0].json["country"] == "GB"


async def test_bind_a_number_of_no_known_country(it: Stage) -> None:
    """It has to be named, before anything is sent."""
    result = await it.run("bind", "+10")

    assert result.exit_code == ExitCode.USAGE
    assert result.stderr == "error: name the country of the number with --country\n"
    assert it.a.sms == []


@pytest.mark.parametrize("patience", ["-1", "nan", "inf", "0"])
async def test_bind_with_a_time_that_is_none(it: Stage, patience: str) -> None:
    """Nothing is sent either."""
    result = await it.run("bind", "a@x.test", "--timeout", patience)

    assert (result.exit_code, it.a.mails) == (ExitCode.USAGE, [])


async def test_bind_a_number_without_a_token(it: Stage) -> None:
    """Nothing to read is an interruption, after which the same command goes on."""
    result = await it.run("bind", NUMBER, "--country", "GB")

    assert result.exit_code == ExitCode.INTERRUPTED
    assert "the same command goes on" in result.stderr
    assert len(kept(it)) == 1


@pytest.mark.parametrize(
    ("typed", "code"), [("000000\n", ExitCode.REFUSED), ("\x04", ExitCode.INTERRUPTED)]
)
async def test_bind_a_number_at_a_terminal(it: Stage, typed: str, code: int) -> None:
    """It is asked for."""
    answers = [("Token in", typed)]
    ended, screen = await run_in_terminal(it, "bind", NUMBER, "--country", "GB", answers=answers)

    assert ended == code
    assert "Token in the SMS" in screen


async def test_unbind(it: Stage) -> None:
    """At the user's server."""
    await bind_by_mail(it)
    result = await it.run("unbind", "alice@x.test")

    assert (result.exit_code, result.stderr) == (ExitCode.DONE, "unbound\n")
    assert it.a.bindings == {}


@pytest.mark.parametrize("everywhere", [True, False])
async def test_unbind_elsewhere(it: Stage, everywhere: bool) -> None:
    """At a server that was used earlier, though identity servers are switched off."""
    await bind_by_mail(it)
    it.choose({"base_url": None})
    options = ["--everywhere"] if everywhere else ["--server", it.a.url]
    result = await it.run("unbind", "alice@x.test", *options)

    assert result.exit_code == ExitCode.DONE
    assert it.a.bindings == {}


async def test_unbind_in_two_places(it: Stage) -> None:
    """One or all."""
    result = await it.run("unbind", "a@x.test", "--everywhere", "--server", it.a.url)

    assert result.exit_code == ExitCode.USAGE


async def test_shared(it: Stage) -> None:
    """To whom addresses lead; those of the account if none are named."""
    it.a.bind("email", "alice@x.test", it.alice.user_id)
    it.a.bind("email", "bob@x.test", "@bob:x.test")
    it.homeserver.add_threepid(it.alice.user_id, "email", "alice@x.test")
    named = await it.run("shared", "bob@x.test", "+49151")
    own = await it.run("shared", "--json")

    assert named.stdout == "other\tbob@x.test\nnobody\t+49151\n"
    assert json.loads(own.stdout) == {"status": "mine", "address": "alice@x.test"}


async def test_shared_by_an_account_without_addresses(it: Stage) -> None:
    """Then nothing is asked."""
    result = await it.run("shared")

    assert (result.stdout, result.stderr) == ("", "the account has no addresses\n")
    assert it.a.connections == 0
