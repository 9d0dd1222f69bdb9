"""The operator's bot of the examples, run as a program and commanded from a room."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import attrs
import pytest

from tests.scenarios.plain_client import OtherClient, User, demand
from tests.scenarios.stage import Stage, terms_url
from tests.scenarios.wiretap import SECONDS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "operator_bot.py"
LEVELS = "m.room.power_levels"
NO_POWER = "You need the power to change this room's settings."
_NUMBERS = itertools.count(1)


@attrs.frozen
class Control:
    """A room of alice with her bot in it, and bob, who has no power there.

    Attributes:
        stage: The servers.
        room: The room's id.
        alice: The operator.
        bob: Another member.
        bot: The bot's account.
    """

    stage: Stage
    room: str
    alice: User
    bob: User
    bot: User

    @property
    def choice(self) -> OtherClient:
        """Another client of the bot's account."""
        return OtherClient(self.stage.home_url, self.bot)

    async def ask(self, user: User, method: str, path: str, body: object = None) -> Any:
        """Ask the homeserver for something that it grants."""
        url = f"{self.stage.home_url}/_matrix/client/v3{path}"
        return await demand(method, url, token=user.access_token, body=body)

    async def say(self, user: User, text: str, room: str = "") -> None:
        """Say something in the room."""
        path = f"/rooms/{quote(room or self.room)}/send/m.room.message/t{next(_NUMBERS)}"
        await self.ask(user, "PUT", path, {"msgtype": "m.text", "body": text})

    async def command(self, text: str, user: User | None = None) -> str:
        """Give a command, and read the first thing that the bot says after it."""
        since = await self.now()
        await self.say(user or self.alice, f"!identity {text}")
        (answer,) = await self.answers(since)
        return answer

    async def now(self) -> str:
        """The point up to which alice has read the room."""
        return str((await self.ask(self.alice, "GET", "/sync"))["next_batch"])

    async def answers(self, since: str) -> list[str]:
        """Wait until the bot says something after this point, and give all that it says."""
        query = urlencode({"timeout": "5000", "filter": '{"room":{"timeline":{"limit":50}}}'})
        async with asyncio.timeout(SECONDS):
            while True:
                news = await self.ask(self.alice, "GET", f"/sync?{query}&since={since}")
                since = news["next_batch"]
                if said := self._said(news):
                    return said

    def _said(self, news: Any) -> list[str]:
        room = news.get("rooms", {}).get("join", {}).get(self.room, {})
        return [
            str(event["content"]["body"])
            for event in room.get("timeline", {}).get("events", ())
            if event["sender"] == self.bot.user_id and event["type"] == "m.room.message"
            # What other clients of the bot's account say is no answer of the program.
            if event["content"]["msgtype"] == "m.notice"
        ]

    async def level(self, user: User, level: int | None) -> None:
        """Give somebody a level, or take them out of the list."""
        path = f"/rooms/{quote(self.room)}/state/{LEVELS}"
        levels = await self.ask(self.alice, "GET", path)
        users = {name: number for name, number in levels["users"].items() if name != user.user_id}
        users |= {} if level is None else {user.user_id: level}
        await self.ask(self.alice, "PUT", path, {**levels, "users": users})


async def prepared(stage: Stage, version: str = "12") -> Control:
    """Let alice make the room, and bob join it; the bot is invited."""
    alice, bob, bot = [await stage.user(name) for name in ("alice", "bob", "bot")]
    control = Control(stage, "", alice, bob, bot)
    body = {"room_version": version, "invite": [bob.user_id, bot.user_id]}
    room = str((await control.ask(alice, "POST", "/createRoom", body))["room_id"])
    await control.ask(bob, "POST", f"/join/{quote(room)}", {})
    return attrs.evolve(control, room=room)


@asynccontextmanager
async def listening(control: Control, folder: Path, *, default: str = "") -> AsyncIterator[None]:
    """Run the program; it has to be alive at the end, and to have complained of nothing."""
    stage = control.stage
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", str(EXAMPLE), control.room),
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HOMESERVER": stage.home_url,
            "USER_ID": control.bot.user_id,
            "ACCESS_TOKEN": control.bot.access_token,
            "TRUSTED": stage.directory_url,
            **({"IDENTITY_SERVER": default} if default else {}),
            "SSL_CERT_FILE": str(stage.authority(folder)),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            assert await process.stdout.readline() == b"Listening.\n"
        yield
        assert process.returncode is None
    finally:
        process.terminate()
        _, errors = await process.communicate()
    assert errors == b""


def test_it_is_short() -> None:
    """A program that one reads before one trusts it."""
    assert len(EXAMPLE.read_text().splitlines()) <= 130


async def test_settings(stage: Stage, tmp_path: Path) -> None:
    """Each command does what it says in the account data, and the bot follows at once."""
    control = await prepared(stage)
    url = stage.directory_url
    async with listening(control, tmp_path, default=url):
        assert await control.command("status") == f"{url}, from the default."
        assert await control.choice.read() is None
        assert await control.command(f"set {url}/") == "Done."
        assert await control.choice.read() == {"base_url": url}
        assert await control.command("status") == f"{url}, from the account data."
        assert await control.command("disable") == "Done."
        assert await control.choice.read() == {"base_url": None}
        assert "switched off for this user" in await control.command("status")
        assert await control.command("reset") == "Done."
        assert await control.choice.read() == {}
        assert (
            await control.command(f"check {url}") == f"{url} is an identity server, with no terms."
        )
        for unknown in ("", "set", "anything else"):
            assert (await control.command(unknown)).startswith("!identity status - ")


async def test_errors(stage: Stage, tmp_path: Path) -> None:
    """What goes wrong is said in the room; the bot stays, and the choice is what it was."""
    control = await prepared(stage)
    async with listening(control, tmp_path):
        assert await control.command("status") == (
            "no identity server: the user chose none and there is no default (none is configured); "
            "call set(url), or configure default="
        )
        for url, told in [
            ("not-a-url", "not the base URL of an identity server"),
            ("https://127.0.0.1:1", "must not be contacted"),
            (stage.home_url.replace("http:", "https:"), "must not be contacted"),
        ]:
            answer = await control.command(f"set {url}")
            assert answer.startswith("That did not work: ")
            assert told in answer
        await stage.stop_identity_server()
        try:
            answer = await control.command(f"set {stage.directory_url}")
        finally:
            await stage.start_identity_server()
        assert answer.startswith(f"That did not work: no answer from {stage.directory_url}")
        assert await control.choice.read() is None
        assert await control.command(f"set {stage.directory_url}") == "Done."


async def test_terms(any_stage: Stage, tmp_path: Path) -> None:
    """Nobody accepts what was not listed before, and what was accepted is not listed again."""
    control = await prepared(any_stage)
    version = await any_stage.require_terms()
    urls = [terms_url(each, version) for each in ("privacy_policy", "terms_of_service")]
    nothing = "Nothing is listed: ask for !identity terms, and read them."
    async with listening(control, tmp_path, default=any_stage.directory_url):
        assert await control.command("accept") == nothing
        listed = await control.command("terms")
        assert all(url in listed for url in urls)
        assert "-fr." not in listed
        accepted = await control.command("accept")
        assert sorted(accepted.removeprefix("Accepted: ").split(", ")) == urls
        assert sorted((await control.choice.read("m.accepted_terms"))["accepted"]) == urls
        assert await control.command("terms") == "No terms."
        assert await control.command("accept") == nothing


@pytest.mark.parametrize("version", ["10", "12"])
async def test_power(stage: Stage, tmp_path: Path, version: str) -> None:
    """Whoever may change the room commands, from the moment on in which they may, and no longer."""
    control = await prepared(stage, version)
    bob = control.bob
    async with listening(control, tmp_path):
        assert await control.command("disable", bob) == NO_POWER
        assert await control.choice.read() is None
        await control.level(bob, 49)
        assert await control.command("disable", bob) == NO_POWER
        await control.level(bob, 50)
        assert await control.command("disable", bob) == "Done."
        assert await control.choice.read() == {"base_url": None}
        # Out of the list: nio itself goes on to believe in the level that he had.
        await control.level(bob, None)
        assert await control.command("reset", bob) == NO_POWER
        assert await control.choice.read() == {"base_url": None}
        assert await control.command("reset") == "Done."


async def test_what_is_no_command(stage: Stage, tmp_path: Path) -> None:
    """History, other rooms, the bot itself, and talk about commands are left alone."""
    control = await prepared(stage)
    body = {"invite": [control.bot.user_id]}
    other = str((await control.ask(control.alice, "POST", "/createRoom", body))["room_id"])
    await control.ask(control.bot, "POST", f"/join/{quote(other)}", {})
    await control.say(control.alice, "!identity disable")
    async with listening(control, tmp_path):
        since = await control.now()
        await control.level(control.bot, 100)
        await control.say(control.bot, "!identity disable")
        await control.say(control.alice, "!identity disable", other)
        said: Sequence[str] = ("Say !identity disable", "!identitydisable", "> !identity", "")
        for text in said:
            await control.say(control.alice, text)

        last = await control.command("status")

        assert await control.answers(since) == [last]
        assert last.startswith("no identity server")
        assert await control.choice.read() is None
