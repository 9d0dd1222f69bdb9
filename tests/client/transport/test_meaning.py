"""What a status means, and what is sent."""

from __future__ import annotations

import json

import pytest
from yarl import URL

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.answer import Answer
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoints.discovery import GetVersions, Ping
from nio_identity_server.errors import MatrixError, RateLimited
from tests.client.transport.stage import COOKIE, TOKEN, Register, ask, failure, sorry
from tests.raw_server import RawServer, answer


class TestMeaning:
    @pytest.mark.parametrize(
        "headers",
        [
            [],
            ["Content-Type: text/html"],
            ["Content-Type: text/plain; charset=utf-16"],
            ["Content-Type: application/octet-stream"],
            ["Content-Type: ;;;nonsense"],
        ],
    )
    async def test_content_types(self, transport: Transport, headers: list[str]) -> None:
        """T31: JSON is JSON whatever its label (Sydent mislabels some)."""
        script = [answer(b'{"versions": ["v1.1"]}', "200 OK", *headers)]
        refused = [answer(b'{"errcode": "M_FORBIDDEN"}', "403 Forbidden", *headers)]
        async with RawServer(script, refused) as server:
            assert (await ask(transport, server, GetVersions())).versions == ("v1.1",)
            error = await failure(ask(transport, server))

        assert vars(error)["errcode"] == "M_FORBIDDEN"

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 418, 500, 502, 503, 504, 599])
    @pytest.mark.parametrize(
        ("body", "errcode", "message"),
        [
            pytest.param(b'{"errcode": "M_A.B_1", "error": "No"}', "M_A.B_1", "No", id="good"),
            pytest.param(b"", "M_UNKNOWN", "", id="empty"),
            pytest.param(b"<html>502 Bad Gateway</html>", "M_UNKNOWN", "", id="page"),
            pytest.param(b"[1]", "M_UNKNOWN", "", id="list"),
            pytest.param(b'{"errcode": 5, "error": ["x"]}', "M_UNKNOWN", "", id="types"),
        ],
    )
    async def test_refusals(
        self, transport: Transport, status: int, body: bytes, errcode: str, message: str
    ) -> None:
        """T32: a refusal carries status, errcode and the server's words, good or not."""
        async with RawServer([answer(body, f"{status} No")]) as server:
            error = await failure(ask(transport, server))

            assert type(error) is MatrixError
            assert (status, errcode, message) == (
                vars(error)["status"],
                vars(error)["errcode"],
                vars(error)["message"],
            )
            assert len(server.requests) == 1

    async def test_words_that_would_forge_a_log(self) -> None:
        """T32: a server cannot write a line of its own into our log, nor a long one."""
        words = "no\n2026-01-01 CRITICAL root: all is lost\r\x1b[2J\u2028\u202e" + "x" * 10_000
        body = json.dumps({"errcode": "M_X\nY", "error": words}).encode()
        error = await sorry([answer(body, "403 Forbidden")])

        assert isinstance(error, MatrixError)
        assert error.errcode == "M_UNKNOWN"
        assert len(error.message) == 500
        assert str(error).isprintable()
        assert len(str(error).splitlines()) == 1

    @pytest.mark.parametrize("errcode", ["M_UNKNOWN", "M_LIMIT_EXCEEDED", "M_FORBIDDEN"])
    async def test_patience(self, errcode: str) -> None:
        """T33: 429 means patience with any errcode, and how much is told."""
        body = json.dumps({"errcode": errcode, "retry_after_ms": 1500}).encode()
        error = await sorry([answer(body, "429 Slow down")])

        assert type(error) is RateLimited
        assert (errcode, 1.5) == (vars(error)["errcode"], vars(error)["retry_after"])

    async def test_patience_beyond_all_bounds(self) -> None:
        """T33: an integer that no float can hold is nonsense, and no trouble of ours."""
        body = b'{"retry_after_ms": 1' + b"0" * 400 + b"}"
        error = await sorry([answer(body, "429 Slow down")])

        assert type(error) is RateLimited
        assert vars(error)["retry_after"] is None

    async def test_patience_by_header(self) -> None:
        """T33: the header is read as well."""
        error = await sorry([answer(b"{}", "429 Slow down", "Retry-After: 7")])

        assert type(error) is RateLimited
        assert vars(error)["retry_after"] == 7.0


class TestRequests:
    async def test_what_is_sent(self, transport: Transport) -> None:
        """A request says what it must, and nothing of the user or the homeserver."""
        async with RawServer([answer()]) as server:
            await ask(transport, server, Ping())
            await ask(transport, server, Register())

        get, post = (request.decode().partition("\r\n\r\n") for request in server.requests)
        common = {
            f"Host: 127.0.0.1:{server.port}",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "User-Agent: nio-identity-server",
        }
        assert get[0].splitlines()[0] == "GET /_matrix/identity/v2 HTTP/1.1"
        assert common == set(get[0].splitlines()[1:])
        assert post[0].splitlines()[0] == "POST /register HTTP/1.1"
        assert common | {
            "Content-Type: application/json",
            f"Content-Length: {len(post[2])}",
        } == set(post[0].splitlines()[1:])
        assert json.loads(post[2]) == {"access_token": TOKEN}

    async def test_the_path_of_the_server_is_kept(self, transport: Transport) -> None:
        """A base URL with a path is the beginning of every path."""
        async with RawServer([answer()]) as server:
            url = parse_base_url(f"{server.url}/a%20b/id/")
            await transport.ask(url, Ping(), trusted=True)

            assert server.requests[0].startswith(b"GET /a%20b/id/_matrix/identity/v2 HTTP/1.1")

    async def test_a_document_as_it_is(self, transport: Transport) -> None:
        """A document comes with whatever status, undecoded."""
        script = [answer(b"\xff", "404 No", "Retry-After: 9")]
        async with RawServer(script) as server:
            found = await transport.fetch(URL(f"{server.url}/d"), trusted=True)

        assert Answer(404, b"\xff", None, "9") == found

    async def test_cookies(self, transport: Transport) -> None:
        """T15: a cookie that a server sets is not sent back."""
        script = [answer(b"{}", "200 OK", f"Set-Cookie: a={COOKIE}; Path=/")]
        async with RawServer(script) as server:
            await ask(transport, server)
            await ask(transport, server)

            assert len(server.requests) == 2
            assert b"cookie" not in bytes(server.received).lower()
