"""The command at a terminal of its own, in this process."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from nio_identity_server.cli.program import main
from tests.cli.stage import NAME, Stage


@contextmanager
def _terminal(answers: Iterable[tuple[str, str]]) -> Iterator[list[bytes]]:
    """Let the standard streams be a terminal; what it shows is collected."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []
    left = deque(answers)

    def read() -> None:
        since = b""
        while True:
            try:
                shown.append(os.read(ours, 65536))
            except OSError:  # the other side is closed
                return
            since += shown[-1]
            if left and left[0][0].encode() in since:
                # A prompt for a secret throws away what was typed before it has hidden it.
                while "token" in left[0][0] and termios.tcgetattr(ours)[3] & termios.ECHO:
                    time.sleep(0.001)
                os.write(ours, left.popleft()[1].encode())
                since = b""

    reader = threading.Thread(target=read)
    reader.start()
    with (
        os.fdopen(theirs, "r", closefd=False) as stdin,
        os.fdopen(theirs, "w", closefd=False) as stdout,
        os.fdopen(theirs, "w", closefd=False) as stderr,
        patch.multiple(sys, stdin=stdin, stdout=stdout, stderr=stderr),
    ):
        yield shown
    os.close(theirs)
    reader.join()
    os.close(ours)


def _run(
    arguments: list[str], answers: Iterable[tuple[str, str]], environment: dict[str, str]
) -> tuple[int, str]:
    code = 0
    with patch.dict(os.environ, environment), _terminal(answers) as shown:
        try:
            main(arguments, prog_name=NAME)
        except SystemExit as end:
            code = int(end.code or 0)
    return code, b"".join(shown).decode()


async def run_in_terminal(
    it: Stage, *arguments: object, answers: Iterable[tuple[str, str]] = (), **variables: str
) -> tuple[int, str]:
    """Run the command at a terminal of its own.

    Args:
        it: In front of these servers.
        arguments: Of the command line.
        answers: What somebody types when a text has come up, one after the other.
        variables: More of the environment.

    Returns:
        Its exit code and all that the terminal showed.
    """
    environment = {**it.variables, "TERM": "xterm-256color", "COLUMNS": "100", **variables}
    return await asyncio.to_thread(_run, list(map(str, arguments)), answers, environment)
