from __future__ import annotations

import pytest

from nio_identity_server.testing import MatrixIdentityServer

from .asking import Ask

IDENTITY = "/_matrix/identity"


class TestDiscovery:
    """What a server says about itself."""

    async def test_versions_and_ping(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """Versions end where Sydent's do, and the ping answers an empty object."""
        versions = await ask("GET", f"{idserver.url}{IDENTITY}/versions")
        ping = await ask("GET", f"{idserver.url}{IDENTITY}/v2")

        assert versions.json["versions"][-1] == "v1.5"
        assert (ping.status, ping.json) == (200, {})


class TestUnknown:
    """Paths and methods that nobody knows."""

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/", 404),
            ("GET", f"{IDENTITY}/v2/", 404),
            ("GET", f"{IDENTITY}/v2/account/", 404),
            ("GET", f"/{IDENTITY}/v2", 404),
            ("GET", f"{IDENTITY}/v2/nothing", 404),
            ("GET", f"{IDENTITY}/v2/lookup", 405),
            ("PUT", f"{IDENTITY}/v2/lookup", 501),
        ],
    )
    async def test_pages(
        self, ask: Ask, idserver: MatrixIdentityServer, method: str, path: str, status: int
    ) -> None:
        """Unknown paths and methods get a page without an errcode."""
        answer = await ask(method, f"{idserver.url}{path}")

        assert status == answer.status
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"errcode" not in answer.body


class TestForeignTokens:
    """Tokens of somebody else."""

    async def test_noted_wherever_they_arrive(
        self, ask: Ask, idserver: MatrixIdentityServer
    ) -> None:
        """A token of somebody else is noted on any path, in header or query; own ones are not."""
        await ask("GET", f"{idserver.url}/nowhere", token="foreign")
        await ask("GET", f"{idserver.url}{IDENTITY}/v2?access_token=other")
        await ask("GET", f"{idserver.url}{IDENTITY}/v2", token=idserver.issue_token("@a:b"))

        assert idserver.foreign_tokens == ["foreign", "other"]

        idserver.clear()

        assert (idserver.foreign_tokens, idserver.requests) == ([], [])
