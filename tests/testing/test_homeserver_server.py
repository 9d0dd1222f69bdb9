from __future__ import annotations

import pytest

from nio_identity_server.testing import MatrixHomeserver


class TestServerName:
    """The name of the homeserver."""

    def test_given(self) -> None:
        """A given name is known from the beginning."""
        assert MatrixHomeserver().register("alice").user_id == "@alice:example.test"

    async def test_after_the_port(self) -> None:
        """A server without a given name is named after its port."""
        hs = MatrixHomeserver(None, host="localhost")
        with pytest.raises(RuntimeError, match="before it is started"):
            _ = hs.server_name

        async with hs:
            assert f"@alice:{hs.netloc}" == hs.register("alice").user_id
            assert f"http://{hs.server_name}" == hs.url
