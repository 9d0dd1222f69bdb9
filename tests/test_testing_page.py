"""The page on testing: its files, written into an empty folder, are a bot and tests that pass."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer, Request
from nio_identity_server.testing.faults import Faults
from nio_identity_server.testing.homeserver.other_clients import OtherClients
from nio_identity_server.testing.journal import Journal

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ROOT / "constraints" / "real.txt"
PAGE = (ROOT / "docs" / "testing.md").read_text()
FENCE = re.compile(r"^```(?:python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([a-z_]+\.(?:py|toml))`")


def files() -> dict[str, str]:
    """The files of the page, each named in the line above it."""
    named = {}
    for fence in FENCE.finditer(PAGE):
        (name,) = NAME.findall(PAGE[: fence.start()].rstrip().rpartition("\n")[2])
        named[name] = fence[1]
    return named


def public(*classes: type) -> set[str]:
    """The names that classes show to tests."""
    return {name for cls in classes for name in vars(cls) if not name.startswith("_")}


def test_the_files_pass(pytester: pytest.Pytester) -> None:
    """Every test of the page passes, in a process of its own, and nothing warns."""
    written = files()
    for name, text in written.items():
        (pytester.path / name).write_text(text)
    count = sum(text.count("async def test_") for text in written.values())

    result = pytester.runpytest_subprocess("-W", "error", timeout=120)

    assert count == 8
    result.assert_outcomes(passed=count)


@pytest.mark.parametrize(
    "name",
    sorted(
        public(Faults, OtherClients, Journal, MatrixHomeserver, MatrixIdentityServer)
        - {"answer", "chunked", "max_body", "heard_of_binding", "openid_owner", "server_name"}
        - {"add_identity_server", "login", "issue_token", "binding"}
    ),
)
def test_nothing_is_left_out(name: str) -> None:
    """The page names what a test can do to the servers, and what it can ask of them."""
    assert re.search(rf"\b{name}\b", PAGE)


def test_nothing_is_made_up() -> None:
    """Each word in a table that looks like a name is one."""
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    words = {word for row in rows for word in re.findall(r"`(?:await )?([a-z_]+)(?:\(|`)", row)}
    instances = MatrixHomeserver(), MatrixIdentityServer()
    fields = set(inspect.get_annotations(Request)) | public(Request)

    known = {name for each in instances for name in dir(each)} | fields
    assert words - known == {"anyio_backend", "release", "reached"}


def test_what_it_was_compared_with() -> None:
    """The releases of the real servers are those that the stories are played in front of."""
    pins = dict(re.findall(r"^matrix-(.*)==(.*)$", SERVERS.read_text(), re.MULTILINE))

    assert f"Synapse {pins['synapse']} and Sydent {pins['sydent']}" in PAGE
