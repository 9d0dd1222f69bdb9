"""``status``, ``check``, ``set``, ``disable``, ``reset`` and ``leave``."""

from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.cli.endings import ExitCode
from tests.cli.stage import TERMS, Stage


async def test_status(it: Stage) -> None:
    """The choice, the server in use and why, and what it says of itself."""
    result = await it.run("status")

    assert result.exit_code == ExitCode.DONE
    assert result.stdout.splitlines() == [
        f"User         {it.alice.user_id}",
        f"Homeserver   {it.homeserver.url}",
        f"Choice       {it.a.url}",
        f"In use       {it.a.url} (the user's choice)",
        "Answers      yes (v1.5)",
        "Terms        none",
    ]
    assert result.stderr == ""


async def test_status_tells_nothing_of_the_user(it: Stage) -> None:
    """The server is asked for its versions and terms, and gets no token to know anybody by."""
    await it.run("status")

    assert {request.path for request in it.a.requests} == {
        "/_matrix/identity/v2",
        "/_matrix/identity/versions",
        "/_matrix/identity/v2/terms",
    }
    assert it.a.tokens == {}


async def test_status_of_terms(it: Stage) -> None:
    """Terms are pending until they are accepted."""
    it.a.require_terms(TERMS)
    before = await it.run("status")
    await it.run("terms", "--accept-all")
    after = await it.run("status")

    assert 'Terms        not accepted: privacy; "terms" shows' in before.stdout
    assert "Terms        accepted" in after.stdout


@pytest.mark.parametrize(
    ("content", "kind", "lines"),
    [
        ({"base_url": None}, "disabled", ["Choice       switched off"]),
        (
            {"base_url": ""},
            "unusable",
            ["Choice       cannot be used, so it counts as switched off"],
        ),
        ({}, "not set", ["Choice       none", "In use       none: the user chose no identity"]),
    ],
)
async def test_status_without_a_server(
    it: Stage, content: Any, kind: str, lines: list[str]
) -> None:
    """That a user has no server is no failure, and why is told."""
    it.choose(content)
    result, as_json = await it.run("status"), await it.json("status")

    assert result.exit_code == ExitCode.DONE
    assert [line for line in lines if line not in result.stdout] == []
    assert (as_json["choice"], as_json["base_url"], as_json["versions"]) == (kind, None, None)
    assert as_json["trouble"]
    assert it.a.connections == 0


async def test_status_of_a_default(it: Stage) -> None:
    """A default is never taken for a choice."""
    it.choose({})
    result = await it.run("--default", it.b.url, "status")

    assert f"In use       {it.b.url} (the default of --default)" in result.stdout
    assert it.choice == {}


async def test_status_of_a_dead_server(it: Stage) -> None:
    """A server that does not answer is shown as that, and told by the exit code."""
    await it.a.stop()
    result, as_json = await it.run("status"), await it.json("status")

    assert result.exit_code == ExitCode.NO_ANSWER
    assert f"Answers      no: no answer from {it.a.url}" in result.stdout
    assert as_json["trouble"].startswith("no answer from")


async def test_status_for_programs(it: Stage) -> None:
    """A JSON object has the same."""
    it.a.require_terms(TERMS)

    assert await it.json("status") == {
        "user_id": it.alice.user_id,
        "homeserver": it.homeserver.url,
        "choice": "chosen",
        "base_url": it.a.url,
        "source": "account data",
        "trouble": None,
        "versions": [
            "r0.1.0",
            "r0.2.0",
            "r0.2.1",
            "r0.3.0",
            "v1.1",
            "v1.2",
            "v1.3",
            "v1.4",
            "v1.5",
        ],
        "pending_terms": ["privacy"],
    }


async def test_check(it: Stage) -> None:
    """Another server can be looked at without choosing it."""
    it.b.require_terms(TERMS)
    plain, terms = await it.run("check", it.a.url), await it.run("check", it.b.url)

    assert plain.stdout == f"Base URL     {it.a.url}\nAnswers      yes (v1.5)\nTerms        none\n"
    assert "Terms        Privacy (en): https://id.test/en\n" in terms.stdout
    assert it.choice == {"base_url": it.a.url}


async def test_check_of_a_server_without_versions(it: Stage) -> None:
    """The request for versions is younger than many servers."""
    it.a.reject_next(404, "M_UNRECOGNIZED", path="/versions")

    assert "Answers      yes\n" in (await it.run("check", it.a.url)).stdout


async def test_check_for_programs(it: Stage) -> None:
    """A JSON object has the documents too."""
    it.a.require_terms(TERMS)
    info = await it.json("check", it.a.url)

    assert info["base_url"] == it.a.url
    assert info["policies"] == {
        "privacy": {"version": "1", "documents": {"en": TERMS["privacy"]["en"]}}
    }


async def test_set(it: Stage) -> None:
    """The choice is written once the server has answered, and its terms are mentioned."""
    it.b.require_terms(TERMS)
    result = await it.run("set", it.b.url)

    assert result.exit_code == ExitCode.DONE
    assert it.choice == {"base_url": it.b.url}
    assert result.stderr.startswith("chosen, in all of the user's clients\nit has terms")


async def test_set_to_a_server_whose_terms_cannot_be_read(it: Stage) -> None:
    """The choice has been made; that is said first, and it is no failure."""
    it.b.reject_next(500, path="terms", times=None)
    result = await it.run("set", it.b.url)

    assert result.exit_code == ExitCode.DONE
    assert it.choice == {"base_url": it.b.url}
    assert result.stderr.startswith("chosen, in all of the user's clients\nwhether it has terms")


async def test_set_to_a_server_without_terms(it: Stage) -> None:
    """There is nothing more to say."""
    assert (await it.run("set", it.b.url)).stderr == "chosen, in all of the user's clients\n"


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("nonsense", ExitCode.USAGE, "not the base URL of an identity server"),
        ("http://id.test", ExitCode.USAGE, "it is not https; an http server of your own is named"),
        ("https://127.0.0.1", ExitCode.USAGE, "if it is yours, name it with --trust"),
    ],
)
async def test_set_to_what_cannot_be_one(it: Stage, url: str, code: int, message: str) -> None:
    """Nothing is written, and the message says what to do."""
    result = await it.run("set", url)

    assert result.exit_code == code
    assert message in result.stderr
    assert "trusted=" not in result.stderr
    assert it.homeserver.writes == []


async def test_set_to_a_dead_server(it: Stage) -> None:
    """Nothing is written."""
    await it.b.stop()
    result = await it.run("set", it.b.url)

    assert result.exit_code == ExitCode.NO_ANSWER
    assert it.homeserver.writes == []


async def test_set_that_may_have_been_stored(it: Stage) -> None:
    """A write whose end nobody knows has an exit code of its own."""
    it.homeserver.lose_next(method="PUT")
    result = await it.run("set", it.b.url)

    assert result.exit_code == ExitCode.UNKNOWN
    assert "it may have been done all the same" in result.stderr


async def test_disable_and_reset(it: Stage) -> None:
    """``null`` and an empty object are written, and the token of the server is given back."""
    await it.run("lookup", "a@x.test")
    assert len(it.a.live_tokens) == 1
    off = await it.run("disable")
    written = it.choice
    back = await it.run("reset")

    assert (off.exit_code, back.exit_code) == (0, 0)
    assert (written, it.choice) == ({"base_url": None}, {})
    assert it.a.live_tokens == set()


async def test_leave(it: Stage) -> None:
    """Every step is told; what is bound is unbound if asked."""
    it.homeserver.add_identity_server(it.a)
    it.homeserver.add_threepid(it.alice.user_id, "email", "alice@x.test")
    for medium, address in (("email", "alice@x.test"), ("msisdn", "4915112345")):
        it.a.bind(medium, address, it.alice.user_id)
    result = await it.run("leave", "--unbind", "+4915112345")

    assert result.exit_code == ExitCode.DONE
    assert result.stdout.splitlines() == [
        "list         done",
        "unbind       +4915112345  done",
        "unbind       alice@x.test  done",
        "logout       done",
        "write        done",
    ]
    assert (it.choice, it.a.bindings) == ({"base_url": None}, {})


async def test_leave_a_dead_server(it: Stage) -> None:
    """What is left behind is told, and the choice is written all the same."""
    it.homeserver.add_threepid(it.alice.user_id, "email", "alice@x.test")
    await it.a.stop()
    result = await it.run("leave")

    assert result.exit_code == ExitCode.PARTLY
    assert f"list         failed: no answer from {it.a.url}" in result.stdout
    assert "still there  alice@x.test" in result.stdout
    assert it.choice == {"base_url": None}


async def test_leave_that_could_not_be_written(it: Stage) -> None:
    """It is said plainly that identity servers are not switched off."""
    it.homeserver.reject_next(method="PUT")
    result = await it.run("leave")

    assert result.exit_code == ExitCode.PARTLY
    assert result.stderr == "identity servers are not switched off\n"


async def test_leave_with_addresses_but_without_unbinding(it: Stage) -> None:
    """Addresses without ``--unbind`` are a misunderstanding."""
    result = await it.run("leave", "a@x.test")

    assert result.exit_code == ExitCode.USAGE
    assert it.homeserver.requests == []
