"""The command in front of embedded servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
from click.testing import CliRunner, Result

from nio_identity_server.cli.program import main
from nio_identity_server.testing import Account, MatrixHomeserver, MatrixIdentityServer

NAME = "nio-identity-server"
TERMS = {"privacy": {"version": "1", "en": {"name": "Privacy", "url": "https://id.test/en"}}}


@attrs.frozen
class Stage:
    """A user with a choice, and the command that they run.

    Attributes:
        homeserver: The user's homeserver.
        a: The identity server that they chose.
        b: Another.
        alice: The user.
        folder: Everything that the command keeps, and a place for files.
    """

    homeserver: MatrixHomeserver
    a: MatrixIdentityServer
    b: MatrixIdentityServer
    alice: Account
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the command."""
        return {
            "MATRIX_HOMESERVER": self.homeserver.url,
            "MATRIX_ACCESS_TOKEN": self.alice.access_token,
            "NIO_IDENTITY_SERVER_TRUST": f"{self.a.url} {self.b.url}",
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
        }

    async def run(self, *arguments: object, typed: str = "", **variables: str | None) -> Result:
        """Run the command without a terminal; it has an event loop of its own."""
        environment: dict[str, str | None] = {**self.variables, **variables}
        runner = CliRunner()
        texts = list(map(str, arguments))
        return await asyncio.to_thread(
            runner.invoke, main, texts, input=typed, env=environment, prog_name=NAME
        )

    async def json(self, *arguments: object) -> Any:
        """Run a command that writes a JSON object."""
        result = await self.run(*arguments, "--json")
        return json.loads(result.stdout)

    def choose(self, content: Any) -> None:
        """Let another client of the user write the choice."""
        self.homeserver.set_account_data(self.alice.user_id, "m.identity_server", content)

    @property
    def choice(self) -> Any:
        """What stands in the account data."""
        return self.homeserver.account_data(self.alice.user_id, "m.identity_server")

    @property
    def credentials(self) -> Path:
        """A file with the user's login, as matrix-commander writes it."""
        login = {
            "homeserver": self.homeserver.url,
            "device_id": self.alice.device_id,
            "user_id": self.alice.user_id,
            "room_id": "!room:example.test",
            "access_token": self.alice.access_token,
        }
        path = self.file("credentials.json", json.dumps(login))
        path.chmod(0o600)
        return path

    def file(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """A user who chose a server that runs."""
    async with (
        MatrixHomeserver() as homeserver,
        MatrixIdentityServer(homeserver) as a,
        MatrixIdentityServer(homeserver) as b,
    ):
        it = Stage(homeserver, a, b, homeserver.register("alice", "secret"), folder)
        it.choose({"base_url": a.url})
        yield it
