"""The reference has every name, and the page of troubles every kind of trouble."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nio_identity_server
from nio_identity_server import (
    ForbiddenAddress,
    HomeserverError,
    IdentityDisabled,
    IdentityServer,
    IdentityServerError,
    InvalidAddress,
    MatrixError,
    endpoints,
    errors,
    testing,
)
from tests.test_docs import DOCS, rows
from tests.test_errors import SAMPLES

PACKAGE = Path(nio_identity_server.__file__).parent
_FUTURE = "from __future__ import annotations\n"  # may stand at the beginning of a file only
SOURCE = "".join(path.read_text().replace(_FUTURE, "\n") for path in sorted(PACKAGE.rglob("*.py")))
CALLS = (DOCS / "reference" / "api.md").read_text()


def test_every_call_is_in_the_reference() -> None:
    """The reference has every public name of ``IdentityServer``, each in one chapter."""
    calls = re.findall(r":: IdentityServer\.(\w+)$", CALLS, re.MULTILINE)
    public = {name for name in dir(IdentityServer) if not name.startswith("_")}

    assert sorted(calls) == sorted(public)


def test_every_exported_name_is_in_the_reference() -> None:
    """The reference has every name of the front door, and of the testing kit."""
    errors_page = (DOCS / "reference" / "errors.md").read_text()
    kit = (DOCS / "reference" / "testing-kit.md").read_text()

    documented = re.findall(r"^\.\. auto\w+:: (\w+)$", CALLS + errors_page, re.MULTILINE)
    assert sorted(documented) == sorted(nio_identity_server.__all__)
    documented = re.findall(r"^\.\. auto\w+:: (\w+)$", kit, re.MULTILINE)
    assert sorted(documented) == sorted(testing.__all__)


def test_every_endpoint_is_in_the_reference() -> None:
    """The reference has every module of endpoints."""
    page = (DOCS / "reference" / "endpoints.md").read_text()

    modules = {module.name for module in pkgutil.iter_modules(endpoints.__path__)}
    assert set(re.findall(r"automodule:: nio_identity_server\.endpoints\.(\w+)", page)) == modules


# Reasons that only occur together with a cause in the outside world.
MORE_MESSAGES = [
    IdentityDisabled("base_url in the account data: it is empty"),
    *(
        ForbiddenAddress("https://id.example.org", reason)
        for reason in (
            "it is not https",
            "its address is not public",
            "its name has an address that is not public",
            "this client uses trusted servers only",
        )
    ),
    *(
        InvalidAddress(reason)
        for reason in (
            "not an email address",
            "not a phone number in international form",
            "neither an email address (no @) nor a phone number (no + in front)",
        )
    ),
    HomeserverError(None, "M_MISSING_TOKEN", "the client is not logged in", "https://x.example"),
]
TROUBLES = (DOCS / "how-to" / "troubleshooting.md").read_text()
TROUBLE = rows(TROUBLES, "Something was refused")
MISTAKES = rows(TROUBLES, "A mistake in the program")
MESSAGES = [error for error, _, _ in SAMPLES.values()] + MORE_MESSAGES


def told_by(words: str) -> list[Exception]:
    """The exceptions with a message that has these words, where "…" stands for anything."""
    pattern = ".*".join(map(re.escape, words.split("…")))
    return [error for error in MESSAGES if re.search(pattern.strip(), str(error))]


@pytest.mark.parametrize("words", [row[0] for row in TROUBLE])
def test_trouble(words: str) -> None:
    """The words by which one finds an entry stand in a message of the package."""
    assert told_by(words)


def texts() -> Iterator[str]:
    """Every text in the source of the package, with "…" for what is filled in."""
    for node in ast.walk(ast.parse(SOURCE)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield "".join(map(str, parts))


@pytest.mark.parametrize("words", [row[0] for row in MISTAKES])
def test_mistakes(words: str) -> None:
    """What a mistake is told by stands in the source like that."""
    assert any(words in text for text in texts())


def test_all_trouble() -> None:
    """There is an entry for each kind of exception."""
    kinds = {type(error) for row in TROUBLE for error in told_by(row[0])}
    general = {MatrixError, HomeserverError, IdentityServerError}

    public = {each for each in vars(errors).values() if isinstance(each, type)}
    assert public - kinds - general == set()


@pytest.mark.parametrize("error", MORE_MESSAGES, ids=str)
def test_more_trouble(error: Any) -> None:
    """The reasons that are used here for messages are reasons of the package."""
    reason = getattr(error, "reason", "") or error.message

    assert reason.partition(": it is")[0] in SOURCE


def test_log_levels() -> None:
    """The table of what is logged has the levels that are used."""
    used = set(re.findall(r"_log\.(\w+)\(", SOURCE))

    page = (DOCS / "how-to" / "logging.md").read_text()
    table = {row[0].strip("`").lower() for row in rows(page, "Log")}
    assert table == {"error" if level == "exception" else level for level in used}
