from __future__ import annotations

import pytest

from nio_identity_server.testing import MatrixHomeserver

from .asking import Ask


class TestDiscovery:
    """What a server says about itself."""

    async def test_versions(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """The versions are there without a token."""
        answer = await ask("GET", f"{hs.url}/_matrix/client/versions")

        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert "v1.12" in answer.json["versions"]
        assert answer.json["unstable_features"] == {}

    @pytest.mark.parametrize("slash", ["", "/"])
    async def test_well_known(self, ask: Ask, hs: MatrixHomeserver, slash: str) -> None:
        """The document is served when there is one, to every web page."""
        url = f"{hs.url}/.well-known/matrix/client{slash}"
        absent = await ask("GET", url)
        hs.well_known = {"m.identity_server": {"base_url": "https://is.test"}}
        present = await ask("GET", url)

        assert absent.error == (404, "M_NOT_FOUND")
        assert hs.well_known == present.json
        assert present.headers["Access-Control-Allow-Origin"] == "*"

    async def test_unknown(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """Unknown paths and methods are Matrix errors; a trailing slash makes a path unknown."""
        errors = [
            (await ask(method, f"{hs.url}{path}")).error
            for method, path in (
                ("GET", "/"),
                ("GET", "/_matrix/client/versions/"),
                ("GET", "//_matrix/client/versions"),
                ("POST", "/_matrix/client/versions"),
            )
        ]

        assert errors == [(404, "M_UNRECOGNIZED")] * 3 + [(405, "M_UNRECOGNIZED")]
