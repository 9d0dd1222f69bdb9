"""The page on the command line says what is so."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from nio_identity_server.cli import endings
from nio_identity_server.cli.endings import ExitCode
from nio_identity_server.cli.program import main
from tests.cli.stage import Stage
from tests.cli.test_inviting import room

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    line.removeprefix("nio-identity-server ")
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith("nio-identity-server ")
]
WAITS = {"watch", "bind"}
"""They wait for somebody else; ``test_watching`` and ``test_owning`` are about them."""


def meanings() -> dict[str, str]:
    """What the docstring of each exit code says."""
    tree = ast.parse(Path(endings.__file__).read_text(encoding="utf-8"))
    body = next(each for each in tree.body if isinstance(each, ast.ClassDef)).body
    return {
        ast.unparse(name.value): ast.literal_eval(text.value)
        for name, text in zip(body[1::2], body[2::2], strict=True)
        if isinstance(name, ast.Assign) and isinstance(text, ast.Expr)
    }


def test_exit_codes() -> None:
    """The table has every code with its meaning."""
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE))

    assert rows == meanings()
    assert sorted(map(int, rows)) == sorted(ExitCode)


def test_every_command_is_there() -> None:
    """The page shows each command at least once."""
    shown = {word for line in COMMANDS for word in shlex.split(line)}

    assert set(main.commands) <= shown


async def test_commands_work(it: Stage) -> None:
    """Each line of the page can be typed, in the order of the page."""
    it.homeserver.add_identity_server(it.a)
    room_id = await room(it)
    it.file("people.csv", "name,mail\nA,a@x.test\n")
    it.file("people.txt", "a@x.test\n")
    for line in COMMANDS:
        text = line.replace("https://id.example.org", it.b.url)
        text = text.replace("http://127.0.0.1:8090", it.a.url)
        text = text.replace("!room:example.org", room_id)
        words = shlex.split(re.sub(r"(\w+\.(?:csv|txt))", f"{it.folder}/\\1", text))
        command = next(word for word in words if word in main.commands)
        if command in WAITS:
            main.commands[command].make_context(command, words[words.index(command) + 1 :])
            continue
        if command != "reset":
            it.choose({"base_url": it.a.url})
        it.a.bind("email", "alice@example.org", it.alice.user_id)
        result = await it.run(*words)
        # No homeserver remembers what it did not bind itself.
        expected = ExitCode.REFUSED if "--everywhere" in words else ExitCode.DONE
        assert result.exit_code == expected, result.output


def test_variables() -> None:
    """The variables that the page names are those of options."""
    named = set(re.findall(r"NIO_IDENTITY_SERVER_([A-Z]+)", PAGE)) - {"COMPLETE"}
    options = {option.lstrip("-").upper() for each in main.params for option in each.opts}

    assert named <= options


@pytest.mark.parametrize("name", ["status", "terms", "lookup", "dead-server", "wrong-token"])
def test_pictures(name: str) -> None:
    """Every picture is shown; ``tests/terminal`` plays its scene."""
    assert f"](pictures/{name}.svg)" in PAGE
