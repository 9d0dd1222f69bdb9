"""What README and docs say is so: their code runs, and their tables and trees are the code's."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import json
import re
import runpy
import threading
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import attrs
import nio
import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

import nio_identity_server
from nio_identity_server import IdentityServerConfig, IdentityServerMixin, errors
from nio_identity_server.preference.account_data import read_content
from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer
from tests.bench import syncs

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINKED = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", ROOT / "examples" / "README.md"]
ACCOUNT_DATA = (DOCS / "explanation" / "account-data.md").read_text()
CONFIGURATION = (DOCS / "reference" / "configuration.md").read_text()
TUTORIAL = DOCS / "tutorial.md"  # is followed from its beginning by tests/test_tutorial.py


class Servers:
    """A homeserver with alice and an identity server, in a thread and event loop of their own."""

    def __init__(self) -> None:
        self.homeserver = MatrixHomeserver()
        self.identity_server = MatrixIdentityServer(self.homeserver)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self.homeserver.start(), self.identity_server.start())
        self.homeserver.register("alice", "secret")
        self.homeserver.add_identity_server(self.identity_server)
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self.homeserver.stop(), self.identity_server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, *work: Any) -> None:
        for each in work:
            asyncio.run_coroutine_threadsafe(each, self._loop).result(10)


@pytest.fixture(name="servers")
def _servers() -> Iterator[Servers]:
    with Servers() as servers:
        yield servers


class Bot(IdentityServerMixin, nio.AsyncClient):  # type: ignore[misc] # nio is untyped
    """The bot of the pages."""


def runner(servers: Servers) -> Callable[[Callable[..., Awaitable[None]]], None]:
    """Give ``run``, with which a page runs its async functions: with what they name."""

    async def log_in_and_run(function: Callable[..., Awaitable[None]]) -> None:
        server = servers.identity_server
        names = inspect.signature(function).parameters
        config = IdentityServerConfig(default=server.url)
        bots = {
            name: Bot(servers.homeserver.url, "@alice:example.test", identity_server_config=config)
            for name in ("bot", "second")
            if name in names
        }
        props = {
            "url": server.url,
            "bind": server.bind,
            "require_terms": server.require_terms,
            "tokens": lambda: server.live_tokens,
            "inbox": lambda address: (
                {mail.address: mail.token for mail in server.mails}
                | {sms.number: sms.token for sms in server.sms}
            )[address],
            **bots,
        }
        try:
            for bot in bots.values():
                await bot.login("secret")
                if "call_in_a_callback" not in function.__name__:
                    await bot.sync()
            await function(**{name: props[name] for name in names})
        finally:
            for bot in bots.values():
                await bot.close()

    return lambda function: asyncio.run(log_in_and_run(function))


def name_of(page: Path) -> str:
    """What a page is called in the list of tests."""
    return str(page.relative_to(ROOT))


# Other tests follow the tutorial, and write out the files of the page on testing.
IN_ORDER = [page for page in PAGES if page not in {TUTORIAL, ROOT / "docs" / "testing.md"}]


@pytest.mark.parametrize("page", IN_ORDER, ids=name_of)
def test_code_runs(page: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of Python runs, in the order of the page."""
    monkeypatch.setenv("HOMESERVER", servers.homeserver.url)
    monkeypatch.setenv("IDENTITY_SERVER", servers.identity_server.url)
    monkeypatch.setenv("USER_ID", "@alice:example.test")
    monkeypatch.setenv("PASSWORD", "secret")
    document = Sybil([PythonCodeBlockParser()], path=str(ROOT)).parse(page)
    document.namespace["run"] = runner(servers)
    examples = list(document.examples())

    for example in examples:
        example.evaluate()

    fences = page.read_text().count("```python\n") + page.read_text().count("block: python\n")
    assert len(examples) == fences


def test_quickstart_is_the_readme() -> None:
    """The code of the README is the quickstart, which has ten lines besides its frame."""
    source = (ROOT / "examples" / "quickstart.py").read_text()
    body = ast.parse(source).body
    function = next(each for each in body if isinstance(each, ast.AsyncFunctionDef))

    code = source.partition('"""\n\n')[2]
    assert f"```python\n{code}```" in (ROOT / "README.md").read_text()
    lines = range(function.body[1].lineno, (function.end_lineno or 0) + 1)
    assert len(lines) == 10


def anchors(page: Path) -> set[str]:
    """The names of the headings of a page, as links have them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKED, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Each link leads to a file that exists, and to a heading in it."""
    links = re.findall(r"\]\(([^)]+)\)", page.read_text())
    targets = [link.partition("#") for link in links if not link.startswith("https://")]

    assert [file for file, _, _ in targets if not (page.parent / file).exists()] == []
    places = [(page.parent / file if file else page, place) for file, _, place in targets if place]
    assert [place for target, place in places if place not in anchors(target)] == []


@pytest.mark.parametrize("index", sorted(DOCS.rglob("index.md")), ids=name_of)
def test_every_page_is_in_an_index(index: Path) -> None:
    """The index of a folder leads to every page in it, and to the indices of the folders below.

    A page that only shows a file of another folder need not be linked: the file is.
    """
    pages = [page for page in index.parent.glob("*.md") if "{include}" not in page.read_text()]
    pages += index.parent.glob("*/index.md")
    names = {str(page.relative_to(index.parent)) for page in pages} - {"index.md"}

    assert {name for name in names if f"]({name})" not in index.read_text()} == set()


def test_commands_exist() -> None:
    """Each ``make`` command that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "".join(page.read_text() for page in LINKED)

    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) - targets == set()


def tree_of(error: type[Exception], depth: int = 0) -> set[tuple[int, str]]:
    """The depth and name of an exception of the package and of all that inherit from it."""
    children = [each for each in vars(errors).values() if isinstance(each, type)]
    below = [tree_of(each, depth + 1) for each in children if each.__bases__[0] is error]
    return {(depth, error.__name__)}.union(*below)


@pytest.mark.docstrings
def test_error_tree() -> None:
    """The tree of exceptions in the docs is the one in ``errors.py``, and the classes' own."""
    docstring = (errors.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0]
    drawn = re.sub(r"^    ", "", docstring, flags=re.MULTILINE)

    assert f"```text\n{drawn}\n```" in (DOCS / "reference" / "errors.md").read_text()
    lines = re.findall(r"^(\W*)(\w+)", drawn, re.MULTILINE)
    assert {(len(indent) // 4, name) for indent, name in lines} == tree_of(
        errors.IdentityServerError
    )


def rows(page: str, heading: str) -> list[list[str]]:
    """Read the rows of the first table under a heading."""
    section = page.partition(f"# {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_configuration() -> None:
    """The table of the configuration has its fields and their defaults."""
    table = {row[0]: row[1] for row in rows(CONFIGURATION, "IdentityServerConfig")}
    config = IdentityServerConfig()
    fields = [field.name for field in attrs.fields(IdentityServerConfig)]

    assert table == {f"`{name}`": f"`{getattr(config, name)!r}`" for name in fields}


def test_preferences() -> None:
    """The table of the preferences names every kind there is."""
    names = [re.sub(r"`(\w+)\(.*", r"\1", row[0]) for row in rows(CONFIGURATION, "Preference")]

    kinds = nio_identity_server.Preference.__args__
    assert sorted(names) == sorted(each.__name__ for each in kinds)


@pytest.mark.parametrize("row", rows(ACCOUNT_DATA, "Here"))
def test_account_data(row: list[str]) -> None:
    """Each content in the table means what the table says."""
    content, value, _ = (cell.strip("`") for cell in row)

    assert type(read_content(json.loads(content))).__name__ == value


@pytest.mark.parametrize("row", rows(CONFIGURATION, "Limits"))
def test_limits(row: list[str]) -> None:
    """Each limit in the table is the one in the code."""
    module, _, name = row[2].strip("`").rpartition(".")
    constant = getattr(import_module(f"nio_identity_server.{module}"), name)

    assert float(row[1].split()[0]) == constant


def test_state_diagram() -> None:
    """Page and picture of states are what the table in ``choice.py`` draws: docs/draw_states.py."""
    script = runpy.run_path(str(DOCS / "draw_states.py"))

    assert script["PAGE"].read_text() == script["page"]()
    assert script["PICTURE"].read_text() == script["picture"]()


def test_figures() -> None:
    """The one figure in the pages is a target of the benchmark."""
    figures = re.findall(r"(\d[\d.]*) times", "".join(page.read_text() for page in PAGES))

    assert [float(figure) for figure in figures] == [syncs.RATIO]


def test_the_house() -> None:
    """Everything in the picture of the house exists."""
    house = (DOCS / "explanation" / "house.md").read_text()
    names = re.findall(r"^([a-z_]+(?:/|\.py)) ", house, re.MULTILINE)

    assert len(names) == 7
    with contextlib.chdir(ROOT / "nio_identity_server"):
        assert [name for name in names if not Path(name).exists()] == []
