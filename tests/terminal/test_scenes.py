"""The command in a real terminal."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from nio_identity_server.cli.endings import ExitCode
from tests.terminal import scenes
from tests.terminal.scenes import SCENES, Scene, scene, settled
from tests.terminal.tmux import IS_INSTALLED

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="tmux is not installed")


@pytest_asyncio.fixture(name="it")
async def _it(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as it:
        yield it


async def test_status(it: Scene) -> None:
    """What is chosen, and that its terms wait."""
    await scenes.status(it)
    screen = await it.terminal.ended()

    assert f"Choice       {it.stage.a.url}" in screen
    assert 'Terms        not accepted: privacy_policy, terms_of_use; "terms" shows' in screen
    assert screen.endswith("exit code 0")


async def test_terms(it: Scene) -> None:
    """Whoever sits there is shown each document, and asked."""
    await scenes.terms(it)
    screen = await it.terminal.ended()

    assert screen.count("Do you accept it? [y/N]: y") == 2
    assert screen.endswith("exit code 0")
    accepted = it.stage.a.accepted_terms[it.stage.alice.user_id]
    assert accepted == {str(policy["en"]["url"]) for policy in scenes.TERMS.values()}  # type: ignore[index]


async def test_lookup_with_progress(it: Scene) -> None:
    """A bar with a rate and the time that is left; Ctrl-C loses nothing; the rest comes later."""
    await scenes.lookup(it)
    screen = await it.terminal.ended()

    assert re.search(r"━+.* +\d+% 30,000 addresses [\d,]+/s \d:\d\d:\d\d", screen)
    assert "30,000 addresses are done and kept in found.txt; --resume goes on" in screen
    assert "error: interrupted" in screen
    assert "500 of 50,000 addresses are on Matrix" in screen
    assert screen.endswith("exit code 0")
    found = (it.stage.folder / "found.txt").read_text().splitlines()
    assert found == [
        f"person{number}@example.org\t@person{number}:example.org"
        for number in range(0, scenes.PEOPLE, 100)
    ]


async def test_exit_code_of_an_interruption(it: Scene) -> None:
    """A script can tell it."""
    async with it.stage.a.hold(path=scenes.LOOKUP) as hold:
        await it.terminal.type("nio-identity-server lookup a@example.org")
        await hold.reached(1, timeout=20)
        await it.terminal.press("C-c")
        screen = await it.terminal.ended()

    assert "error: interrupted\n" in screen
    assert screen.endswith(f"exit code {ExitCode.INTERRUPTED}")


async def test_watching_until_it_is_interrupted(it: Scene) -> None:
    """Changes come up as they are made."""
    await it.terminal.type("nio-identity-server watch")
    await it.terminal.shows(f"  {it.stage.a.url}")
    it.stage.choose({"base_url": None})
    await it.terminal.shows("  switched off")
    await it.terminal.press("C-c")

    assert "exit code 130" in await it.terminal.ended()


async def test_an_interrupted_invitation_is_written_down(it: Scene) -> None:
    """Nobody knows whether it was made, so it is not made again by itself."""
    async with it.stage.homeserver.hold(path="/invite", stage="answer") as hold:
        await it.terminal.type("nio-identity-server invite '!r:x' a@x.test --report r.csv")
        await hold.reached(1, timeout=20)
        await it.terminal.press("C-c")
        screen = await it.terminal.ended()

    assert "exit code 130" in screen
    report = (it.stage.folder / "r.csv").read_text()
    assert report.splitlines()[1:] == ["begun,!r:x,a@x.test,,"]


async def test_the_first_interruption_counts(it: Scene) -> None:
    """Also while it waits for something that somebody types."""
    async with it.stage.homeserver.hold(path="account_data") as hold:
        await it.terminal.type("nio-identity-server lookup --file -")
        await hold.reached(1, timeout=20)
    await it.terminal.press("C-c")

    assert "exit code 130" in await it.terminal.ended()


async def test_terminated(it: Scene) -> None:
    """By SIGTERM, with a line and an exit code of its own."""
    async with it.stage.a.hold(path=scenes.LOOKUP) as hold:
        await it.terminal.type("nio-identity-server lookup a@example.org &")
        await hold.reached(1, timeout=20)
        await it.terminal.type("kill $!; wait $!")
        screen = await it.terminal.ended()

    assert "error: terminated\n" in screen
    assert "exit code 143" in screen


async def test_a_dead_server(it: Scene) -> None:
    """One line names it."""
    await scenes.dead_server(it)
    screen = await it.terminal.ended()

    assert f"error: no answer from {it.stage.a.url}" in screen
    assert f"exit code {ExitCode.NO_ANSWER}" in screen


async def test_a_wrong_token(it: Scene) -> None:
    """One line says that the homeserver does not know it."""
    await scenes.wrong_token(it)
    screen = await it.terminal.ended()

    assert "M_UNKNOWN_TOKEN" in screen
    assert f"exit code {ExitCode.HOMESERVER}" in screen


@pytest.mark.parametrize("name", SCENES)
async def test_pictures(it: Scene, name: str) -> None:
    """The pictures in the documentation show what the command shows: ``make pictures``."""
    await SCENES[name](it)
    screen = settled(await it.terminal.screen())
    picture = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture)

    assert settled(html.unescape("".join(texts))) == f"nio-identity-server{screen}"
