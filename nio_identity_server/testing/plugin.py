"""Fixtures for pytest: a homeserver and an identity server per test.

pytest loads this in every run once the package is installed, so it imports the servers only when a
test asks for one. They live in the event loop of that test, whoever runs it: pytest-asyncio, in a
loop of any scope, or anyio.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

_asyncio_fixture: Any = None
with suppress(ImportError):
    from pytest_asyncio import fixture as _asyncio_fixture

if TYPE_CHECKING:
    from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer

    Servers = tuple[MatrixHomeserver, MatrixIdentityServer]

_HIDDEN = "_loopback_servers_in_{}_loop"


@pytest.fixture
def matrix_homeserver(request: pytest.FixtureRequest) -> MatrixHomeserver:
    """A running homeserver named `example.test`, without users; it knows `identity_server`."""
    return _servers(request)[0]


@pytest.fixture
def identity_server(request: pytest.FixtureRequest) -> MatrixIdentityServer:
    """A running identity server that trusts the OpenID tokens of `matrix_homeserver`."""
    return _servers(request)[1]


def _servers(request: pytest.FixtureRequest) -> Servers:
    """Start both in the loop of the test; a loop of another one would not turn while it runs."""
    servers: Servers = request.getfixturevalue(_HIDDEN.format(_loop(request)))
    return servers


def _loop(request: pytest.FixtureRequest) -> str:
    """Tell whose loop the test runs in: anyio's, or pytest-asyncio's of a scope."""
    if not _is_async(request.node):
        raise _failed(request, "the servers run in the event loop of the test: use `async def`")
    mark = request.node.get_closest_marker("asyncio")
    by_asyncio = mark is not None and request.config.pluginmanager.has_plugin("asyncio")
    by_anyio = "anyio_backend" in request.fixturenames
    if by_asyncio and by_anyio:
        # anyio would run the fixtures and pytest-asyncio the test, each in a loop of its own.
        raise _failed(request, "pytest-asyncio and anyio both claim this test: mark it for one")
    if by_asyncio:
        return _scope(request, mark)
    if by_anyio:
        return _anyio(request)
    raise _failed(
        request,
        "nothing is there to run this test; with pytest-asyncio installed, mark it with "
        '@pytest.mark.asyncio or set asyncio_mode = "auto", with anyio use @pytest.mark.anyio',
    )


def _scope(request: pytest.FixtureRequest, mark: Any) -> str:
    if _of_the_function is None:
        raise _failed(request, "this needs pytest-asyncio 0.24 or later")
    try:
        usual = request.config.getini("asyncio_default_test_loop_scope")
    except ValueError:  # a pytest-asyncio that has no such option
        usual = None
    return str(mark.kwargs.get("loop_scope") or usual or "function")


def _anyio(request: pytest.FixtureRequest) -> str:
    backend = request.getfixturevalue("anyio_backend")
    if "asyncio" not in (backend, backend[0]):  # it may come with options, in a tuple
        raise _failed(request, 'nio and the servers need asyncio: let anyio_backend be "asyncio"')
    return "anyio"


def _is_async(node: Any) -> bool:
    function = getattr(node, "obj", None)
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    return inspect.iscoroutinefunction(inner)


def _failed(request: pytest.FixtureRequest, why: str) -> BaseException:
    return pytest.fail.Exception(f"{request.fixturename}: {why}", pytrace=False)


def _start() -> Callable[[], AsyncIterator[Servers]]:
    """Make a fixture function; each plugin marks its own."""

    async def start() -> AsyncIterator[Servers]:
        from nio_identity_server.testing import (  # noqa: PLC0415
            MatrixHomeserver,
            MatrixIdentityServer,
        )

        async with MatrixHomeserver() as homeserver, MatrixIdentityServer(homeserver) as server:
            homeserver.add_identity_server(server)
            yield homeserver, server

    return start


def _on_asyncio(scope: Any) -> Any:
    if _asyncio_fixture is None:
        return None
    try:
        return _asyncio_fixture(loop_scope=scope, name=_HIDDEN.format(scope))(_start())
    except TypeError:  # it knows no scopes of loops
        return None


_of_anyio = pytest.fixture(name=_HIDDEN.format("anyio"))(_start())
_of_the_function = _on_asyncio("function")
_of_the_class = _on_asyncio("class")
_of_the_module = _on_asyncio("module")
_of_the_package = _on_asyncio("package")
_of_the_session = _on_asyncio("session")
