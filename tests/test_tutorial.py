"""The tutorial, followed as it is written: each command, each file, each line that is typed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)


class Terminal:
    """A shell that runs one command, in a folder; what it prints is read line by line."""

    def __init__(self, folder: Path, command: str) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        # What is installed is what is being tested: "make" has nothing to install.
        environment["MAKEFLAGS"] = "--old-file=.venv/.package"
        self.process = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.keyboard, self.screen = self.process.stdin, self.process.stdout

    def type(self, line: str) -> None:
        """Type a line."""
        self.keyboard.write(f"{line}\n")
        self.keyboard.flush()

    def read(self, lines: int) -> list[str]:
        """Read so many lines, with each port called the same."""
        return [same_port(self.screen.readline().rstrip("\n")) for _ in range(lines)]

    def press_ctrl_c(self) -> None:
        """Stop what runs in it, as Ctrl-C does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=20)


def same_port(line: str) -> str:
    """Write the same port in each address: it is another one each time."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A checkout, in which what the reader writes does no harm."""
    for each in ROOT.iterdir():
        if each.name not in {".venv", ".git"}:
            (tmp_path / each.name).symlink_to(each)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture(name="playground")
def _playground(folder: Path) -> Iterator[Terminal]:
    terminal = Terminal(folder, BLOCKS[1][1])
    yield terminal
    terminal.press_ctrl_c()


def start_bot(folder: Path, exports: str, command: str) -> Terminal:
    """Run the bot in a second terminal, and wait until it is there."""
    terminal = Terminal(folder, f"{exports}\n{command}")
    assert terminal.read(1) == ["The bot is there."]
    return terminal


def talk(playground: Terminal, session: str) -> None:
    """Type what is typed in a session, and compare what is printed in between."""
    for line in session.splitlines():
        if line.startswith(("!", "/")):
            playground.type(line)
        else:
            assert playground.read(1) == [same_port(line)]


def test_each_block_is_followed() -> None:
    """Nothing in the tutorial is left out by the test below."""
    kinds = [kind for kind, _ in BLOCKS]

    assert kinds == ["sh", "sh", "text", "python", "sh", "text", "python", "sh", *["text"] * 4]


def test_the_demo(folder: Path) -> None:
    """The first command plays the demo, of seven steps."""
    terminal = Terminal(folder, BLOCKS[0][1])
    output, _ = terminal.process.communicate(timeout=60)

    assert terminal.process.returncode == 0, output
    assert re.findall(r"^\d\.", output, re.MULTILINE) == [f"{step}." for step in range(1, 8)]


def test_the_bot(folder: Path, playground: Terminal) -> None:
    """From the servers to the last answer, all is as the tutorial says."""
    exports = [playground.screen.readline() for _ in BLOCKS[2][1].splitlines()]
    assert [same_port(line.rstrip("\n")) for line in exports] == [
        same_port(line) for line in BLOCKS[2][1].splitlines()
    ]
    source = BLOCKS[3][1]
    (folder / "bot.py").write_text(source)
    bot = start_bot(folder, "".join(exports), BLOCKS[4][1])
    try:
        talk(playground, BLOCKS[5][1])
        bot.press_ctrl_c()

        source, count = re.subn(r"^    config =.*\n", BLOCKS[6][1], source, flags=re.MULTILINE)
        assert count == 1
        (folder / "bot.py").write_text(source)
        bot = start_bot(folder, "".join(exports), BLOCKS[7][1])
        for _, session in BLOCKS[8:]:
            talk(playground, session)
    finally:
        bot.press_ctrl_c()
