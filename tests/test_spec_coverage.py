"""The page that lists what the specification asks: each statement is held by tests that exist."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from nio_identity_server import IdentityServer
from tests.endpoints.test_specification import EVERY, SPECIFICATION

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "reference" / "spec-coverage.md").read_text()
WORDS = {"MUST", "SHOULD", "SHOULD NOT", "MAY", "states"}
REQUESTS = "All requests"
CHAPTERS = dict(re.findall(r"^## ([^\n]+)\n\n(.*?)(?=\n## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@attrs.frozen
class Statement:
    """One line of the page."""

    number: str
    word: str
    says: str
    held: str

    @property
    def tests(self) -> list[str]:
        """The tests that hold it."""
        return re.findall(r"`([\w/]+\.py::[\w:]+)`", self.held)


def cells(text: str) -> Iterator[list[str]]:
    """The rows of a table, without its head."""
    for line in re.findall(r"^\| (.+) \|$", text, re.MULTILINE)[1:]:
        yield line.split(" | ")


STATEMENTS = [
    Statement(*row)
    for chapter, text in CHAPTERS.items()
    if chapter != REQUESTS
    for row in cells(text)
]


@functools.cache
def names_in(file: str) -> frozenset[str]:
    """The tests in a file, as pytest names them."""
    path = TESTS / file
    if not path.name.startswith("test_") or not path.exists():
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{name}" for name in functions_of(node)}
    return frozenset(found | functions_of(ast.parse(path.read_text())))


def functions_of(node: ast.Module | ast.ClassDef) -> set[str]:
    """The test functions of a module or class, not of what is in it."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = {each.name for each in node.body if isinstance(each, kinds)}
    return {name for name in functions if name.startswith("test_")}


def test_there_are_statements_of_every_word() -> None:
    """The page was read, and no word is spelt otherwise."""
    assert len(STATEMENTS) >= 140
    assert {each.word for each in STATEMENTS} == WORDS


def test_numbers() -> None:
    """Each chapter has a letter of its own, and counts its statements from one."""
    letters = []
    for chapter, text in CHAPTERS.items():
        if chapter != REQUESTS:
            numbers = [row[0] for row in cells(text)]
            letters.append(numbers[0][0])
            assert numbers == [f"{letters[-1]}{count}" for count in range(1, len(numbers) + 1)]

    assert len(letters) == len(set(letters))


@pytest.mark.parametrize("chapter", [chapter for chapter in CHAPTERS if chapter != REQUESTS])
def test_each_chapter_leads_to_the_specification(chapter: str) -> None:
    """To the version that the package names everywhere."""
    assert f"]({SPECIFICATION}" in CHAPTERS[chapter].splitlines()[0]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: each.number)
def test_each_statement_is_held(statement: Statement) -> None:
    """By tests that exist; or it says why not."""
    reason = re.match(r"not (?:ours|done): .{20}", statement.held)

    assert (reason is None) == bool(statement.tests)
    assert statement.says.endswith(".")
    for test in statement.tests:
        file, _, name = test.partition("::")
        assert name in names_in(file), test


def test_what_must_be_done_is_done() -> None:
    """Nothing that MUST be done is left out on purpose; what is not ours is another matter."""
    left_out = [each for each in STATEMENTS if each.held.startswith("not done")]

    assert {each.word for each in left_out} <= {"SHOULD", "MAY"}


def test_every_request() -> None:
    """Every request is listed once, as it is in the code."""
    listed = {row[0].strip("`"): row[1] for row in cells(CHAPTERS[REQUESTS])}

    assert listed == {
        name: f"{endpoint.method} `{endpoint.path.partition('?')[0]}`"
        for name, endpoint in EVERY.items()
    }


def test_who_sends_it() -> None:
    """The calls that are said to send a request are calls of ``IdentityServer``."""
    text = "".join(row[2] for row in cells(CHAPTERS[REQUESTS]))

    calls = set(re.findall(r"`(\w+)\(\)`", text))
    assert {name for name in calls if not hasattr(IdentityServer, name)} == set()
