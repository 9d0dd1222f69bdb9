from __future__ import annotations

import pytest

from .asking import Ask
from .conftest import EchoServer


class TestRequest:
    """Requests as they arrived."""

    async def test_everything_is_taken_down(self, ask: Ask, echo: EchoServer) -> None:
        """Method, path, query, headers and body are there, decoded and as sent."""
        await ask("POST", f"{echo.url}/a%2Fb/%40c?x=1&x=2&y=%20", token="t", data=b'{"k": 1}')

        (request,) = echo.requests

        assert request.method == "POST"
        assert request.raw_path == "/a%2Fb/%40c?x=1&x=2&y=%20"
        assert request.path == "/a/b/@c"
        assert request.segments == ("", "a/b", "@c")
        assert request.query == {"x": "1", "y": " "}
        assert request.headers["authorization"] == "Bearer t"
        assert request.body == b'{"k": 1}'
        assert request.json == {"k": 1}
        assert request.connection == 1

    async def test_a_double_slash_stays(self, ask: Ask, echo: EchoServer) -> None:
        """A path that begins with two slashes is not mistaken for a host."""
        await ask("GET", f"{echo.url}//echo")

        assert [request.path for request in echo.requests] == ["//echo"]

    async def test_a_body_that_is_no_json_raises(self, ask: Ask, echo: EchoServer) -> None:
        """Asking for the JSON of something else is an error of the test."""
        await ask("POST", f"{echo.url}/echo", data=b"{")

        with pytest.raises(ValueError, match="Expecting"):
            _ = echo.requests[0].json

    @pytest.mark.parametrize(
        ("header", "query", "expected"),
        [
            ("Bearer one", "two", "one"),
            ("Basic one", "two", "two"),
            ("Bearer ", "two", "two"),
            (None, "two", "two"),
            (None, None, None),
        ],
    )
    async def test_the_token(
        self, ask: Ask, echo: EchoServer, header: str | None, query: str | None, expected: str
    ) -> None:
        """The token comes from the header, and else from the query."""
        await ask(
            "GET",
            f"{echo.url}/" + ("" if query is None else f"?access_token={query}"),
            headers={} if header is None else {"Authorization": header},
        )

        assert expected == echo.requests[0].access_token

    async def test_secrets_are_not_printed(self, ask: Ask, echo: EchoServer) -> None:
        """The printed form shows the method and the path, and nothing else."""
        await ask("POST", f"{echo.url}/echo?access_token=q", token="t", data=b"body")

        assert repr(echo.requests[0]) == "Request(method='POST', path='/echo')"

    async def test_a_request_is_equal_to_itself_only(self, ask: Ask, echo: EchoServer) -> None:
        """Two requests that look alike are two."""
        await ask("GET", f"{echo.url}/")
        await ask("GET", f"{echo.url}/")

        first, second = echo.requests

        assert first != second
        assert len({first, second}) == 2
