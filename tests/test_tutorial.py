"""The tutorial, followed as it is written: each command, each file, each line that is typed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
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

    def read(self) -> str:
        """Read the next line; nothing if there is none for long, and then there never is."""
        alarm = threading.Timer(30, os.killpg, (self.process.pid, signal.SIGKILL))
        alarm.start()
        try:
            return self.screen.readline().rstrip("\n")
        finally:
            alarm.cancel()

    def press_ctrl_c(self) -> str:
        """Stop what runs in it; gives what is printed until it has ended."""
        if self.screen.closed:
            return ""  # it has been stopped before
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.communicate(timeout=20)[0]


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
    assert terminal.read() == "The bot is there."
    return terminal


def talk(playground: Terminal, session: str) -> None:
    """Type what is typed in a session, and compare what is printed in between."""
    for line in session.splitlines():
        if line.startswith(("!", "/")):
            playground.type(line)
        else:
            assert same_port(playground.read()) == same_port(line)


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
    expected = BLOCKS[2][1].splitlines()
    printed = [playground.read() for _ in expected]
    assert list(map(same_port, printed)) == list(map(same_port, expected))
    exports = "\n".join(printed)
    source = BLOCKS[3][1]
    (folder / "bot.py").write_text(source)
    bot = start_bot(folder, exports, BLOCKS[4][1])
    try:
        talk(playground, BLOCKS[5][1])
        assert bot.press_ctrl_c() == ""

        source, count = re.subn(r"^    config =.*\n", BLOCKS[6][1], source, flags=re.MULTILINE)
        assert count == 1
        (folder / "bot.py").write_text(source)
        bot = start_bot(folder, exports, BLOCKS[7][1])
        for _, session in BLOCKS[8:]:
            talk(playground, session)
    finally:
        bot.press_ctrl_c()
