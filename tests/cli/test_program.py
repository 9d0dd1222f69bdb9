"""The command as a whole."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner

from nio_identity_server import cli
from nio_identity_server.cli import program
from nio_identity_server.cli.endings import ExitCode, Terminated
from nio_identity_server.cli.program import main
from tests.cli.stage import NAME, Stage
from tests.cli.terminal import run_in_terminal

ORDER = ["status", "check", "set", "disable", "reset", "leave", "watch", "terms"]
ORDER += ["lookup", "bind", "unbind", "shared", "invite"]
HEAVY = {"aiohttp", "nio", "msgspec", "rich", "asyncio", "ssl", "stamina", "yarl"}


def python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python by itself."""
    return subprocess.run(  # noqa: S603 - our own
        [sys.executable, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help() -> None:
    """The commands stand in the order in which one gets to know them, none cut short."""
    result = CliRunner().invoke(main, ["--help"], prog_name=NAME)

    assert list(main.commands) == ORDER
    listed = result.stdout.rpartition("Commands:\n")[2]
    assert [line.split()[0] for line in listed.splitlines()] == ORDER
    assert "..." not in listed


@pytest.mark.parametrize("command", ORDER)
def test_help_of_commands(command: str) -> None:
    """Each says what it does and explains all its options."""
    result = CliRunner().invoke(main, [command, "--help"], prog_name=NAME)

    assert result.exit_code == 0
    assert all(
        isinstance(each, click.Argument) or each.help for each in main.commands[command].params
    )


def test_help_needs_next_to_nothing() -> None:
    """Whoever asks for help, or completes a command, does not wait for what they do not use."""
    source = f"""
import sys
from nio_identity_server import cli
from nio_identity_server.cli import program
from nio_identity_server.cli.program import main
try:
    main(["--help"])
except SystemExit:
    print(sorted({HEAVY!r} & set(sys.modules)))
"""
    assert python("-c", source).stdout.splitlines()[-1] == "[]"


async def test_no_command_needs_nio(it: Stage) -> None:
    """Nio is not even imported."""
    source = """
import sys
from nio_identity_server import cli
from nio_identity_server.cli import program
from nio_identity_server.cli.program import main
try:
    main(["lookup", "a@x.test"])
except SystemExit as end:
    print(end.code, "nio" in sys.modules)
"""
    result = await asyncio.to_thread(lambda: python("-c", source, **it.variables))

    assert (result.stdout, result.stderr) == ("0 False\n", "0 of 1 addresses are on Matrix\n")


def test_completion() -> None:
    """A shell can complete commands and options."""
    source = (
        "from nio_identity_server.cli.program import main; main(prog_name='nio-identity-server')"
    )
    variables = {
        "_NIO_IDENTITY_SERVER_COMPLETE": "bash_complete",
        "COMP_WORDS": "nio-identity-server lo",
        "COMP_CWORD": "1",
    }

    assert python("-c", source, **variables).stdout == "plain,lookup\n"


def test_as_a_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It can be run without being on the path."""
    monkeypatch.setattr(sys, "argv", ["-m", "--version"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit):
        runpy.run_path(program.__file__.replace("program", "__main__"), run_name="__main__")

    assert capsys.readouterr().out.startswith("nio-identity-server, version ")


def test_the_login_is_in_no_argument() -> None:
    """No option takes a token: everybody on the machine can read a command line."""
    names = {name for each in main.params for name in each.opts}

    assert not {name for name in names if "token" in name or "password" in name}


async def test_a_proxy_with_a_password(it: Stage) -> None:
    """It is not taken from the command line."""
    proxy = "http://user:passw0rd@127.0.0.1:1"
    typed = await it.run("--proxy", proxy, "status")
    variable = await it.run("status", NIO_IDENTITY_SERVER_PROXY=proxy)

    assert typed.exit_code == ExitCode.USAGE
    assert "passw0rd" not in typed.output
    assert variable.exit_code == ExitCode.HOMESERVER


def test_without_the_extra() -> None:
    """What is missing is named, and how to get it."""
    source = (
        "import sys; sys.modules['click'] = None; from nio_identity_server import cli; cli.run()"
    )
    result = python("-c", source)

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert 'pip install "nio-identity-server[cli]"' in result.stderr


@pytest.mark.parametrize("missing", ["click", "some_other"])
def test_what_is_missing(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """The extra is named for what it has only."""
    found = ModuleNotFoundError(name=missing)
    monkeypatch.setattr("builtins.__import__", Mock(side_effect=found))
    with pytest.raises(SystemExit if missing == "click" else ModuleNotFoundError):
        cli.run()


def test_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C and SIGTERM end the program wherever it is."""
    monkeypatch.setattr(program, "main", lambda **_: None)
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    try:
        program.run()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(Terminated):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])


async def test_colour(it: Stage) -> None:
    """For terminals, and not for those who do not want it."""
    _, coloured = await run_in_terminal(it, "status")
    _, plain = await run_in_terminal(it, "status", NO_COLOR="1")

    assert "\x1b[32myes\x1b[0m" in coloured
    assert "\x1b" not in plain
    assert "\x1b" not in (await it.run("status")).stdout


async def test_nobody_reads_any_more(it: Stage, tmp_path: Path) -> None:
    """``| head`` ends it, without a traceback."""
    for number in range(5000):
        it.a.bind("email", f"p{number}@x.test", f"@p{number}:x.test")
    path = it.file("list.txt", "".join(f"p{number}@x.test\n" for number in range(5000)))
    command = f"{sys.executable} -m nio_identity_server.cli lookup --file {path} | head -n 1"
    process = await asyncio.create_subprocess_shell(
        command, env={**os.environ, **it.variables}, cwd=tmp_path, stdout=-1, stderr=-1
    )
    output, errors = await process.communicate()

    assert output == b"p0@x.test\t@p0:x.test\n"
    assert b"Traceback" not in errors


async def test_a_broken_pipe_in_this_process(it: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, where it can be looked at: click makes a quiet end of it."""

    def broken(_: str) -> None:
        raise BrokenPipeError(errno.EPIPE, "")

    it.a.bind("email", "bob@x.test", "@bob:x.test")
    monkeypatch.setattr("nio_identity_server.cli.checkpoint.say_raw", broken)
    result = await it.run("lookup", "bob@x.test")

    assert (result.exit_code, result.stdout) == (1, "")


async def test_json_is_one_line(it: Stage) -> None:
    """Programs read it line by line."""
    for command in ("status", "terms"):
        result = await it.run(command, "--json")
        assert result.stdout.count("\n") == 1
        json.loads(result.stdout)
