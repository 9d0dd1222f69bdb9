"""A real terminal, with somebody who types."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

WIDTH, HEIGHT = 100, 24

_LOOK_AGAIN = 0.02
"""Seconds between two looks at the screen: a terminal tells nobody that something came up."""

IS_INSTALLED = shutil.which("tmux") is not None


@attrs.frozen
class Terminal:
    """A terminal with a shell in it.

    Attributes:
        socket: The name of the tmux server that is this test's own.
    """

    socket: str

    async def type(self, text: str, *, enter: bool = True) -> None:
        """Type something."""
        await self._tmux("send-keys", "-l", text)
        if enter:
            await self._tmux("send-keys", "Enter")

    async def press(self, key: str) -> None:
        """Press a key by its name, such as ``C-c``."""
        await self._tmux("send-keys", key)

    async def screen(self, *, colours: bool = False) -> str:
        """What the terminal shows, without the empty lines at its end."""
        options = ["-e"] if colours else []
        return (await self._tmux("capture-pane", "-p", *options)).rstrip()

    async def shows(self, text: str, timeout: float = 20.0) -> str:  # noqa: ASYNC109 - of the test
        """Wait until a text has come up, and give the whole screen."""
        screen = ""
        try:
            async with asyncio.timeout(timeout):
                while text not in (screen := await self.screen()):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError:
            raise AssertionError(f"{text!r} did not come up:\n{screen}") from None
        return screen

    async def ended(self) -> str:
        """Wait until the command has ended; the last line of the screen is its exit code."""
        await self.type("echo exit'' code $?.")
        screen = await self.shows("exit code")
        while not (found := re.search(r"(?s).*exit code \d+(?=\.)", screen)):
            screen = await self.screen()
        return found[0]

    async def _tmux(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "tmux", "-L", self.socket, *arguments, stdout=-1, stderr=-1
        )
        output, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return output.decode()


@asynccontextmanager
async def terminal(folder: Path, variables: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Open a terminal.

    Args:
        folder: Where its shell is.
        variables: Its environment, besides what every program needs.
    """
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "tmux-256color",
        "PS1": "$ ",
        **variables,
    }
    shell = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "sh"]
    it = Terminal(f"nio-identity-server-{uuid.uuid4().hex}")
    size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
    options = ["-f", os.devnull, "new-session", "-d", "-c", str(folder), *size]
    await it._tmux(*options, shlex.join(shell))
    try:
        await it.shows("$")
        yield it
    finally:
        await it._tmux("kill-server")
