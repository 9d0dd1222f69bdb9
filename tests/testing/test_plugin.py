from __future__ import annotations

import importlib.util
import sys

import pytest

from nio_identity_server import testing
from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer, plugin

# Imported by hand, so that the tests need no installed entry point.
from nio_identity_server.testing.plugin import (  # noqa: F401
    _identity_server,
    _matrix_homeserver,
)


async def test_the_servers_run(
    identity_server: MatrixIdentityServer, matrix_homeserver: MatrixHomeserver
) -> None:
    """The fixtures are running servers, and the one trusts the other."""
    assert identity_server.running
    assert matrix_homeserver.running
    assert (matrix_homeserver,) == identity_server._accounts._homeservers


def test_the_front_door() -> None:
    """Every name of the package's front door can be had, and no other."""
    for name in testing.__all__:
        assert name == getattr(testing, name).__name__

    assert sorted(testing.__all__) == list(testing.__all__)
    assert not hasattr(testing, "Nothing")


def test_without_pytest_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pytest-asyncio is missing, the plugin loads all the same, with plain fixtures."""
    monkeypatch.setitem(sys.modules, "pytest_asyncio", None)
    spec = importlib.util.spec_from_file_location("plain_plugin", plugin.__file__)
    assert spec is not None
    assert spec.loader is not None
    plain = importlib.util.module_from_spec(spec)

    spec.loader.exec_module(plain)

    assert plain.fixture is pytest.fixture
