"""What a body may hold."""

from __future__ import annotations

import json
import time

import pytest

from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoints.discovery import GetVersions
from nio_identity_server.errors import BadResponse
from tests.client.transport.stage import BODY, Large, ask, sorry
from tests.raw_server import RawServer, answer


class TestCharsets:
    """T28: text is UTF-8, whatever a server says."""

    async def test_punycode(self, transport: Transport) -> None:
        """A charset whose decoder takes quadratic time is not looked at."""
        body = json.dumps({"x": "y" * 640_000}).encode()
        kind = "Content-Type: application/json; charset=punycode"
        async with RawServer([answer(body, "200 OK", kind)]) as server:
            await ask(transport, server, Large())  # opens the connection
            began = time.process_time()
            reply = await ask(transport, server, Large())

            assert len(reply["x"]) == 640_000
            assert time.process_time() - began < 0.2

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("{}".encode("utf-16"), id="UTF-16"),
            pytest.param("{}".encode("utf-16-le"), id="UTF-16 without a mark"),
            pytest.param("{}".encode("utf-32"), id="UTF-32"),
            pytest.param(b"\xef\xbb\xbf{}", id="mark"),
            pytest.param(b'{"a": "\xe9"}', id="Latin-1"),
            pytest.param(b'{"a": "\xed\xa0\x80"}', id="surrogate"),
            pytest.param(b'{"a": "\xc0\x80"}', id="overlong"),
        ],
    )
    async def test_not_utf8(self, body: bytes) -> None:
        """Nothing is guessed: only UTF-8 without a mark is text."""
        kind = "Content-Type: application/json; charset=utf-16"
        error = await sorry([answer(body, "200 OK", kind)])

        assert type(error) is BadResponse
        assert vars(error)["status"] == 200


class TestJson:
    async def test_no_part_of_a_body_is_told(self) -> None:
        """T29: what is wrong is said without a word of the body."""
        for body in (f'{{"versions": "{BODY}"}}', f'{{"{BODY}": 1, "{BODY}": 2}}', BODY):
            error = await sorry([answer(body.encode())], GetVersions())

            assert type(error) is BadResponse
