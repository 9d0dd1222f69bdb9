"""Where the login comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nio_identity_server.cli.credentials import Credentials, find_credentials
from nio_identity_server.cli.endings import ExitCode, Failure
from tests.cli.stage import Stage
from tests.cli.terminal import run_in_terminal

GOOD = {"homeserver": "https://hs.test", "access_token": "s3cret", "user_id": "@alice:hs.test"}
VARIABLES = {"MATRIX_HOMESERVER": "https://other.test/", "MATRIX_ACCESS_TOKEN": "0ther"}


def written(path: Path, content: object, mode: int = 0o600) -> Path:
    """Write a file with a login."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def test_a_file_as_matrix_commander_writes_it(tmp_path: Path) -> None:
    """Its other keys are left alone; it wins over the environment."""
    more = {"device_id": "D", "room_id": "!r:hs.test", "refresh_token": ""}
    path = written(tmp_path / "login.json", GOOD | more)

    assert find_credentials(path, VARIABLES) == Credentials(**GOOD)


def test_the_environment(tmp_path: Path) -> None:
    """It wins over the file in the folder of settings; the user need not be named."""
    written(tmp_path / "config" / "nio-identity-server" / "credentials.json", GOOD)

    assert find_credentials(None, VARIABLES) == Credentials("https://other.test", "0ther")
    named = VARIABLES | {"MATRIX_USER_ID": "@bob:other.test"}
    assert find_credentials(None, named).user_id == "@bob:other.test"


def test_the_folder_of_settings(tmp_path: Path) -> None:
    """A file there needs no option."""
    written(tmp_path / "config" / "nio-identity-server" / "credentials.json", GOOD)

    assert find_credentials(None, {}) == Credentials(**GOOD)


def test_a_file_that_others_can_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is used, with a warning that says what to do."""
    path = written(tmp_path / "login.json", GOOD, 0o644)
    find_credentials(path, {})

    warning = f"warning: {path} can be read by others: chmod 600 {path}\n"
    assert capsys.readouterr().err == warning


def test_no_login(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal nobody is asked, and the message says what is missing."""
    with capsys.disabled(), pytest.raises(Failure, match="set MATRIX_HOMESERVER and MATRIX"):
        find_credentials(None, {})


@pytest.mark.parametrize("name", VARIABLES)
def test_half_a_login(tmp_path: Path, name: str) -> None:
    """The other half is not taken from somebody else's login."""
    written(tmp_path / "config" / "nio-identity-server" / "credentials.json", GOOD)
    with pytest.raises(Failure, match="set both MATRIX_HOMESERVER and MATRIX_ACCESS_TOKEN"):
        find_credentials(None, {name: VARIABLES[name]})


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{", "\x80s3cret", {"homeserver": "https://hs.test"}),
        {"homeserver": "https://hs.test", "access_token": 5},
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: object) -> None:
    """Nothing of it is repeated."""
    with pytest.raises(Failure, match="is no JSON with homeserver and access_token") as caught:
        find_credentials(written(tmp_path / "login.json", content), {})

    assert caught.value.exit_code == ExitCode.HOMESERVER
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("token", ["", "  ", "s3cret\r\nX: y", "s3cret s3cret", "s3crét"])
def test_what_is_no_token(tmp_path: Path, token: str) -> None:
    """It does not come into a header, nor into the message."""
    path = written(tmp_path / "login.json", GOOD | {"access_token": token})
    with pytest.raises(Failure, match="the access token is empty, or no token") as caught:
        find_credentials(path, {})

    assert "s3cr" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hs.test",
        "ftp://hs.test",
        "https://",
        "https://u:p@hs.test",
        "http://[",
        "https://h?x=1",
    ],
)
def test_what_is_no_homeserver(tmp_path: Path, url: str) -> None:
    """The message shows what one looks like."""
    path = written(tmp_path / "login.json", GOOD | {"homeserver": url})
    with pytest.raises(Failure, match="the homeserver is no URL like https://matrix"):
        find_credentials(path, {})


def test_the_token_is_not_printed() -> None:
    """Not even by a debugger that prints everything."""
    assert "s3cret" not in repr(Credentials(**GOOD))


async def test_asked_for(it: Stage) -> None:
    """At a terminal it is asked for, once, and the token does not show."""
    answers = [
        ("Homeserver URL", f"{it.homeserver.url}\n"),
        ("Access token", f"{it.alice.access_token}\n"),
    ]
    code, screen = await run_in_terminal(
        it, "set", it.b.url, answers=answers, MATRIX_HOMESERVER="", MATRIX_ACCESS_TOKEN=""
    )

    assert (code, it.choice) == (ExitCode.DONE, {"base_url": it.b.url})
    assert screen.count("Access token") == 1
    assert it.alice.access_token not in screen.partition("Access token")[2]


async def test_asked_for_in_vain(it: Stage) -> None:
    """An end of the input is an interruption."""
    code, screen = await run_in_terminal(
        it, "status", answers=[("URL", "\x04")], MATRIX_HOMESERVER="", MATRIX_ACCESS_TOKEN=""
    )

    assert code == ExitCode.INTERRUPTED
    assert screen.endswith(" interrupted\r\n")
