"""The servers, a room in which somebody asks, and a bot that runs there as a program."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer
from tests.environments import CHECKOUT, FRAMEWORKS

ALICE = "@alice:example.test"
PASSWORD = "secret"
ROOM = "!room:example.test"
CAROL = "carol@example.org"
CHOICE = "account_data/m.identity_server"

# Importing a framework takes a second, and the machine may be busy.
PATIENCE = 30.0


@attrs.frozen
class Place:
    """A homeserver with alice, whose bot it is; identity servers a and b; the bot's folder.

    Carol's address is bound at both, to another user each. The server b is the bot's default.
    """

    homeserver: MatrixHomeserver
    a: MatrixIdentityServer
    b: MatrixIdentityServer
    folder: Path

    @property
    def spoken_to(self) -> str:
        """The names of the identity servers to which anything was sent."""
        return "".join(name for name in "ab" if getattr(self, name).connections)

    def other_client_sets(self, base_url: str | None) -> None:
        """Another client of alice writes her choice."""
        self.homeserver.set_account_data(ALICE, "m.identity_server", {"base_url": base_url})

    def ask(self) -> None:
        """A friend asks in the room who carol is."""
        self.homeserver.add_message(ALICE, ROOM, f"!who {CAROL}")

    async def heard(self, syncs: int) -> None:
        """Wait until the bot has begun so many syncs."""
        await self.homeserver.wait_for("GET", "/sync", syncs, PATIENCE)

    async def answer(self, number: int) -> str:
        """Wait for the bot's answer of this number, counted from one."""
        sent = await self.homeserver.wait_for("PUT", "/send/m.room.message", number, PATIENCE)
        text: str = json.loads(sent[number - 1].body)["body"]
        return text

    @asynccontextmanager
    async def running(self, framework: str, *command: str) -> AsyncIterator[None]:
        """Have a program run in the environment of a framework; it is stopped at the end."""
        output = self.folder / "output.txt"
        with output.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                FRAMEWORKS[framework].python,
                *command,
                cwd=self.folder,
                env=self._variables(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        try:
            yield
        except BaseException as error:
            error.add_note(f"The program said:\n{output.read_text()}")
            raise
        finally:
            await _stop(process)

    async def run(self, framework: str, *command: str) -> None:
        """Run a program in the environment of a framework, to its end.

        Raises:
            AssertionError: It failed.
        """
        process = await asyncio.create_subprocess_exec(
            FRAMEWORKS[framework].python,
            *command,
            cwd=self.folder,
            env=self._variables(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "HOMESERVER": self.homeserver.url,
            "USER_ID": ALICE,
            "PASSWORD": PASSWORD,
            "ROOM": ROOM,
            "IDENTITY_SERVER": self.b.url,
            "TRUSTED": self.a.url,
        }


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    """Start the servers, and put the examples into a folder, as a reader would have them."""
    shutil.copytree(CHECKOUT / "examples" / "frameworks", folder, dirs_exist_ok=True)
    async with (
        MatrixHomeserver() as homeserver,
        MatrixIdentityServer(homeserver) as a,
        MatrixIdentityServer(homeserver) as b,
    ):
        homeserver.register(ALICE, PASSWORD)
        a.bind("email", CAROL, "@carol-of-a:example.test")
        b.bind("email", CAROL, "@carol-of-b:example.test")
        yield Place(homeserver, a, b, folder)


def lookups(server: MatrixIdentityServer) -> list[Any]:
    """The lookups that have reached a server."""
    return server.seen("POST", "/v2/lookup")
