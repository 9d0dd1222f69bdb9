"""``terms``."""

from __future__ import annotations

import json

import pytest

from nio_identity_server.cli.endings import ExitCode
from tests.cli.stage import TERMS, Stage
from tests.cli.terminal import run_in_terminal

TWO = {
    "privacy": {
        "version": "1",
        "en": {"name": "Privacy", "url": "https://id.test/en"},
        "de": {"name": "Datenschutz", "url": "https://id.test/de"},
    },
    "use": {"version": "2", "fr": {"name": "Usage", "url": "https://id.test/fr"}},
}


async def test_without_a_terminal_nobody_is_asked(it: Stage) -> None:
    """What is pending is shown, nothing is accepted, and the exit code tells."""
    it.a.require_terms(TWO)
    result = await it.run("terms")

    assert result.exit_code == ExitCode.TERMS
    assert result.stdout == "Privacy  https://id.test/en\nUsage  https://id.test/fr\n"
    assert result.stderr == "not all of them are accepted\n"
    assert it.a.accepted_terms == {}


async def test_no_terms(it: Stage) -> None:
    """A server without terms is content."""
    result = await it.run("terms")

    assert (result.exit_code, result.stdout) == (ExitCode.DONE, "")


async def test_accept_all(it: Stage) -> None:
    """Each policy is accepted in the language that was asked for, else in the first."""
    it.a.require_terms(TWO)
    result = await it.run("terms", "--accept-all", "--language", "de")

    assert (result.exit_code, result.stderr) == (ExitCode.DONE, "accepted\n")
    accepted = {"https://id.test/de", "https://id.test/fr"}
    assert it.a.accepted_terms == {it.alice.user_id: accepted}
    known = it.homeserver.account_data(it.alice.user_id, "m.accepted_terms")
    assert set(known["accepted"]) == accepted


async def test_accept_one(it: Stage) -> None:
    """What is named is accepted; the rest stays pending."""
    it.a.require_terms(TWO)
    result = await it.run("terms", "--accept", "https://id.test/de")

    assert (result.exit_code, result.stdout) == (ExitCode.TERMS, "")
    assert it.a.accepted_terms == {it.alice.user_id: {"https://id.test/de"}}


async def test_accept_what_is_not_offered(it: Stage) -> None:
    """Nothing is accepted."""
    it.a.require_terms(TERMS)
    result = await it.run("terms", "--accept", "https://id.test/other")

    assert result.exit_code == ExitCode.USAGE
    assert it.a.accepted_terms == {}


async def test_a_policy_that_cannot_be_shown(it: Stage) -> None:
    """A document that is no plain https URL is never accepted."""
    it.a.require_terms(
        {"odd\x1b[1m": {"version": "1", "en": {"name": "Odd", "url": "javascript:1"}}}
    )
    result = await it.run("terms", "--accept-all")

    assert result.exit_code == ExitCode.TERMS
    assert result.stderr.startswith("odd?[1m: no document that could be shown")


async def test_terms_for_programs(it: Stage) -> None:
    """A JSON object; nobody is asked."""
    it.a.require_terms(TERMS)
    result = await it.run("terms", "--json")

    assert result.exit_code == ExitCode.TERMS
    documents = {"en": {"name": "Privacy", "url": "https://id.test/en"}}
    assert json.loads(result.stdout) == {
        "policies": {"privacy": {"version": "1", "documents": documents}}
    }
    assert result.stderr == ""


async def test_json_accepts_nothing(it: Stage) -> None:
    """A contradiction is noticed."""
    result = await it.run("terms", "--json", "--accept-all")

    assert (result.exit_code, it.homeserver.requests) == (ExitCode.USAGE, [])


@pytest.mark.parametrize(
    ("typed", "code", "accepted"),
    [
        (["y\n", "y\n"], ExitCode.DONE, {"https://id.test/en", "https://id.test/fr"}),
        (["n\n", "y\n"], ExitCode.TERMS, {"https://id.test/fr"}),
        (["\n", "\n"], ExitCode.TERMS, set()),
        (["y\n", "\x04"], ExitCode.INTERRUPTED, set()),
    ],
)
async def test_at_a_terminal(it: Stage, typed: list[str], code: int, accepted: set[str]) -> None:
    """Each policy is asked about; no answer is a no, and an interruption accepts nothing."""
    it.a.require_terms(TWO)
    ended, screen = await run_in_terminal(it, "terms", answers=[("[y/N]", each) for each in typed])

    assert ended == code
    assert "Do you accept it? [y/N]" in screen
    assert it.a.accepted_terms.get(it.alice.user_id, set()) == accepted
