from __future__ import annotations

import pytest

from nio_identity_server.testing.replies import Reply
from nio_identity_server.testing.requests import Request
from nio_identity_server.testing.routes import Call, Route, Routes, UnknownMethod, UnknownPath


async def handler(_: Call) -> Reply:
    """Answer nothing; routes only find it."""
    return Reply()


def request(method: str, path: str) -> Request:
    """Make a request without a server."""
    return Request(method, path, path, {}, {}, b"", 1)


class TestRoutes:
    """Finding the handler."""

    @pytest.fixture(name="routes")
    def _routes(self) -> Routes:
        return Routes([Route("GET", "/a/{x}/c", handler), Route("PUT", "/a/{x}/c", handler)])

    async def test_a_parameter_is_one_decoded_segment(self, routes: Routes) -> None:
        """A percent-encoded slash belongs to the parameter."""
        found, call = routes.find(request("PUT", "/a/1%2F2/c?q"))

        assert call.values["x"] == "1/2"
        assert Reply() == await found(call)

    @pytest.mark.parametrize("path", ["/a/1/d", "/a/1/c/", "/a/1", "//a/1/c"])
    def test_another_path(self, routes: Routes, path: str) -> None:
        """Every slash counts."""
        with pytest.raises(UnknownPath):
            routes.find(request("GET", path))

    def test_another_method(self, routes: Routes) -> None:
        """A known path with an unknown method is told apart from an unknown path."""
        with pytest.raises(UnknownMethod):
            routes.find(request("POST", "/a/1/c"))
