"""What holds in every test: nothing leaves this machine, and no secret shows."""

from __future__ import annotations

import errno
import functools
import inspect
import ipaddress
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Asserts of modules that tests share are compiled as those of tests are, so that they are looked at
# under ``python -O`` too.
pytest.register_assert_rewrite(
    *(f"tests.{each.stem}" for each in Path(__file__).parent.iterdir() if each.stem != "conftest")
)

from tests.canaries import Canaries  # noqa: E402 -- not before that
from tests.raw_server import Certificates  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what reads docstrings where Python leaves docstrings out."""
    if sys.flags.optimize < len("OO"):
        return
    for item in items:
        if item.get_closest_marker("docstrings"):
            item.add_marker(pytest.mark.skip(reason="python -OO leaves docstrings out"))


def _is_here(address: Any) -> bool:
    """Whether a socket address is on this machine."""
    if not isinstance(address, tuple):
        return True  # a path of the file system
    try:
        return ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    except ValueError:
        return str(address[0]) == "localhost"


def _guarded(connect: Callable[..., Any], refused: list[Any]) -> Callable[..., Any]:
    def guard(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not _is_here(address):
            refused.append(address)
            raise OSError(errno.ENETUNREACH, "a test may not leave this machine")
        return connect(self, address)

    return guard


@pytest.fixture(name="_connects_outside", scope="session")
def _connects_outside_() -> Iterator[list[Any]]:
    """Have sockets connect to loopback only; gives the other addresses that were tried.

    Event loops connect through ``socket.connect`` as well.
    """
    refused: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name), refused))
        yield refused


@pytest.fixture(name="loopback_only", autouse=True)
def _loopback_only(_connects_outside: list[Any]) -> Iterator[None]:
    """No test leaves the machine; one that tries fails, whatever it makes of its failure."""
    yield
    tried = list(_connects_outside)
    _connects_outside.clear()
    assert not tried, f"this test tried to connect to {tried}"


@pytest.fixture(name="canaries", autouse=True)
def _canaries(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Canaries]:
    """No secret shows, in any log record of any logger or at any server that it is not for.

    The secrets are the tokens that the embedded servers issue; a test may add more. Loggers named
    ``nio`` are left out, see :class:`tests.canaries.LogTrap`.
    """
    canaries = Canaries()
    _watch_servers(monkeypatch, canaries)
    _watch_exceptions(monkeypatch, canaries)
    root = logging.getLogger()
    level = root.level
    caplog.handler.setLevel(logging.WARNING)  # for tests, as it is without us
    root.addHandler(canaries.logged)
    root.setLevel(logging.DEBUG)
    yield canaries
    root.setLevel(level)
    root.removeHandler(canaries.logged)
    caplog.handler.setLevel(logging.NOTSET)
    canaries.check()


def _watch_servers(patch: pytest.MonkeyPatch, canaries: Canaries) -> None:
    """Have every server of this test looked at, and the tokens of the homeservers collected."""
    from nio_identity_server.testing import (  # noqa: PLC0415 -- after coverage has begun
        Account,
        MatrixHomeserver,
        MatrixIdentityServer,
    )

    def after(cls: type, name: str, then: Callable[[Any], object]) -> None:
        original = getattr(cls, name)

        def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            then(self)
            return result

        patch.setattr(cls, name, wrapped)

    def before(cls: type, name: str, first: Callable[[Any], object]) -> None:
        original = getattr(cls, name)

        def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
            first(self)
            return original(self, *args, **kwargs)

        patch.setattr(cls, name, wrapped)

    after(Account, "__init__", lambda it: canaries.homeserver_tokens.add(it.access_token))
    after(MatrixHomeserver, "__init__", canaries.watch)
    after(MatrixIdentityServer, "__init__", canaries.watch)
    before(MatrixIdentityServer, "clear", canaries.note)


def _watch_exceptions(patch: pytest.MonkeyPatch, canaries: Canaries) -> None:
    """Have every exception looked at that comes out of a public call, frames and chain included."""
    from nio_identity_server.client.identity_server import IdentityServer  # noqa: PLC0415

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return await original(*args, **kwargs)
            except BaseException as error:
                canaries.caught(error)
                raise

        return call

    for cls in IdentityServer.__mro__[:-1]:  # each chapter is a class
        for name, method in vars(cls).items():
            if not name.startswith("_") and inspect.iscoroutinefunction(method):
                patch.setattr(cls, name, watched(method))


@pytest.fixture(name="certificates", scope="session")
def _certificates() -> Certificates:
    """Certificates for servers on loopback; making keys takes time, so they serve all tests."""
    return Certificates()
