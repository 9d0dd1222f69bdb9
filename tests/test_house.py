from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nio_identity_server

PACKAGE = Path(nio_identity_server.__file__).parent
REPOSITORY = PACKAGE.parent
FILES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}

PURE_FILES = (
    "addresses.py",
    "base_url.py",
    "batch.py",
    "endpoint.py",
    "grammar.py",
    "hashing.py",
    "matrix_id.py",
    "secret.py",
    "strict_json.py",
    "threepid.py",
)
PURE_ROOMS = ("endpoints", "errors", "preference")
PURE = [name for name in FILES if name in PURE_FILES or name.startswith(PURE_ROOMS)]
FLOWS = [name for name in FILES if name.startswith("flows")]
TESTING = [name for name in FILES if name.startswith("testing")]
SHIPPED = [name for name in FILES if not name.startswith("testing")]

LONGEST_FILE = 300
VAGUE = {"utils", "util", "core", "common", "types", "helpers", "helper", "misc"}


def _tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def _imports(tree: ast.Module) -> Iterator[str]:
    """The top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_the_rooms_are_where_they_are_looked_for() -> None:
    """The tests of this file look at something."""
    assert set(PURE_FILES) < set(PURE)
    assert {"preference/choice.py", "endpoints/terms.py", "errors/__init__.py"} < set(PURE)
    assert "flows/well_known.py" in FLOWS


@pytest.mark.parametrize("name", PURE)
def test_pure_rooms_do_not_wait(name: str) -> None:
    """The ground floor, preferences and endpoints are pure: no await, no coroutine."""
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)

    assert [node for node in ast.walk(_tree(name)) if isinstance(node, waiting)] == []


@pytest.mark.parametrize("name", PURE)
def test_pure_rooms_have_no_clock_no_network_and_no_disk(name: str) -> None:
    """The same rooms import nothing that would let them look at the world."""
    world = {"aiohttp", "aiohttp_socks", "asyncio", "datetime", "logging", "nio", "os", "pathlib"}
    world |= {"random", "secrets", "socket", "ssl", "sys", "threading", "time", "urllib3"}

    assert set() == world & set(_imports(_tree(name)))


@pytest.mark.parametrize("name", FLOWS)
def test_conversations_speak_through_what_is_injected(name: str) -> None:
    """A flow imports neither nio nor a way to the network."""
    network = {"aiohttp", "aiohttp_socks", "nio", "socket", "ssl", "http.client"}

    assert set() == network & set(_imports(_tree(name)))


@pytest.mark.parametrize("name", [name for name in FILES if name != "mixin.py"])
def test_only_the_mixin_imports_nio(name: str) -> None:
    """The package nio is imported in ``mixin.py`` and nowhere else."""
    assert "nio" not in set(_imports(_tree(name)))


@pytest.mark.parametrize("name", TESTING)
def test_the_fakes_share_no_code_with_what_they_imitate(name: str) -> None:
    """The servers for tests import nothing of the package but each other."""
    modules = [
        node.module or ""
        for node in ast.walk(_tree(name))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE.name)
    ]

    assert [each for each in modules if not each.startswith(f"{PACKAGE.name}.testing")] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_checks_survive_optimisation(name: str) -> None:
    """No check is an ``assert`` statement, which ``python -O`` removes."""
    assert [node.lineno for node in ast.walk(_tree(name)) if isinstance(node, ast.Assert)] == []


@pytest.mark.parametrize("name", FILES)
def test_files_are_short(name: str) -> None:
    """A file past 300 lines is asking to be two."""
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("name", FILES)
def test_files_say_what_they_are_for(name: str) -> None:
    """Each file begins with a docstring."""
    assert ast.get_docstring(_tree(name))


def test_names_say_something() -> None:
    """No file and no folder is named after the fact that nobody knew where to put it."""
    names = {part.removesuffix(".py") for name in FILES for part in Path(name).parts}

    assert set() == VAGUE & names


def test_import_contracts() -> None:
    """Import-linter finds every contract of ``pyproject.toml`` kept."""
    pytest.importorskip("importlinter")
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(  # noqa: S603 - our own tool, in the same environment
        [linter, "--no-cache"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert re.search(r"Contracts: [1-9][0-9]* kept, 0 broken\.", done.stdout)
    assert done.returncode == 0
