"""What somebody does at the terminal: played by the tests, and for the pictures in ``docs``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer
from tests.cli.stage import Stage
from tests.terminal.tmux import Terminal, terminal

COMMAND = "nio-identity-server"
LOOKUP = "/_matrix/identity/v2/lookup"
PEOPLE = 50_000
TERMS = {
    "privacy_policy": {
        "version": "1.2",
        "en": {"name": "Privacy Policy", "url": "https://id.example.org/privacy-1.2.html"},
    },
    "terms_of_use": {
        "version": "4",
        "en": {"name": "Terms of Use", "url": "https://id.example.org/terms-4.html"},
    },
}


@attrs.frozen
class Scene:
    """A user, their servers, and a terminal.

    Attributes:
        stage: The servers.
        terminal: The terminal.
    """

    stage: Stage
    terminal: Terminal


@asynccontextmanager
async def scene(folder: Path, *, ports: tuple[int, int, int] = (0, 0, 0)) -> AsyncIterator[Scene]:
    """Open a terminal in front of servers.

    Args:
        folder: An empty folder.
        ports: Of the homeserver and of two identity servers; 0 for any.
    """
    async with (
        MatrixHomeserver(port=ports[0]) as homeserver,
        MatrixIdentityServer(homeserver, port=ports[1]) as a,
        MatrixIdentityServer(homeserver, port=ports[2]) as b,
    ):
        stage = Stage(homeserver, a, b, homeserver.register("bot", "secret"), folder)
        stage.choose({"base_url": a.url})
        async with terminal(folder, stage.variables) as it:
            yield Scene(stage, it)


async def status(it: Scene) -> None:
    """Look at what is chosen, while terms are pending."""
    it.stage.a.require_terms(TERMS)
    await it.terminal.type(f"{COMMAND} status")
    await it.terminal.shows("Terms  ")


async def terms(it: Scene) -> None:
    """Accept terms, one after the other."""
    it.stage.a.require_terms(TERMS)
    await it.terminal.type(f"{COMMAND} terms")
    await it.terminal.shows("privacy-1.2.html\nDo you accept it? [y/N]:")
    await it.terminal.type("y")
    await it.terminal.shows("terms-4.html\nDo you accept it? [y/N]:")
    await it.terminal.type("y")
    await it.terminal.shows("\naccepted")


async def lookup(it: Scene) -> None:
    """Look a long list up, interrupt it, and go on."""
    people = "".join(f"person{number}@example.org\n" for number in range(PEOPLE))
    it.stage.file("people.txt", people)
    for number in range(0, PEOPLE, 100):
        it.stage.a.bind("email", f"person{number}@example.org", f"@person{number}:example.org")
    command = f"{COMMAND} lookup --file people.txt --output found.txt"
    await it.terminal.type(command)
    await held_at(it, 30_000)
    await it.terminal.press("C-c")
    await it.terminal.shows("interrupted\n$")
    await it.terminal.type(f"{command} --resume")
    await it.terminal.shows("are on Matrix")


async def held_at(it: Scene, number: int) -> None:
    """Let the server answer until so many are done; keep the next request."""
    part = 5_000
    for _ in range(number // part):
        async with it.stage.a.hold(path=LOOKUP, times=1) as hold:
            await hold.reached(1, timeout=20)
    it.stage.a.hold(path=LOOKUP, times=1)
    await it.terminal.shows(f"{number:,} addresses")


async def dead_server(it: Scene) -> None:
    """Ask a server that is gone."""
    await it.stage.a.stop()
    await it.terminal.type(f"{COMMAND} lookup somebody@example.org")
    await it.terminal.shows("error:")


async def wrong_token(it: Scene) -> None:
    """Ask with a login that is over."""
    it.stage.homeserver.revoke(it.stage.alice.access_token)
    await it.terminal.type(f"{COMMAND} status")
    await it.terminal.shows("error:")


SCENES = {
    "status": status,
    "terms": terms,
    "lookup": lookup,
    "dead-server": dead_server,
    "wrong-token": wrong_token,
}


def settled(screen: str) -> str:
    """A screen without what differs from run to run: ports, and how fast it went."""
    screen = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", screen)
    screen = re.sub(r"[\d,]+/s", "FAST", screen)
    screen = re.sub(r"\d+:\d\d:\d\d|-:--:--", "TIME", screen)
    return re.sub(r"\s+", "", screen)
