"""What an exception tells of a request and of an answer."""

from __future__ import annotations

import pytest

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.endpoints.association import GetValidated3pid
from nio_identity_server.endpoints.discovery import Ping
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    ForbiddenAddress,
    IdentityServerError,
    MatrixError,
    RateLimited,
)
from nio_identity_server.secret import Secret
from tests.client.transport.stage import (
    BODY,
    CLOSE,
    OK,
    TARGET,
    TOKEN,
    USER,
    FakeResolver,
    NioSettings,
    Register,
    ask,
    failure,
    transport_for,
)
from tests.raw_server import RawServer, Repeat, Script, answer, free_port


class TestSecrets:
    """T12: no exception tells a secret, not even to a logger that prints local variables."""

    @pytest.mark.parametrize(
        ("script", "kind"),
        [
            pytest.param([CLOSE], CannotConnect, id="CannotConnect"),
            pytest.param([b"nonsense\r\n\r\n", CLOSE], BadResponse, id="BadResponse, no HTTP"),
            pytest.param([answer(b"[]")], BadResponse, id="BadResponse, no good reply"),
            pytest.param([answer(status="999 No")], BadResponse, id="BadResponse, bad status"),
            pytest.param(
                [answer(b"", "307 Go", f"Location: /{TARGET}")], BadResponse, id="redirect"
            ),
            pytest.param(
                [answer(b'{"a": "' + BODY.encode() + b'"}', "403 No")],
                MatrixError,
                id="MatrixError",
            ),
            pytest.param([answer(b"{}", "429 No")], RateLimited, id="RateLimited"),
            pytest.param(
                [answer(BODY.encode() * 10_000)], BadResponse, id="BadResponse, announced too large"
            ),
            pytest.param(
                [OK + b"\r\n", Repeat(BODY.encode() * 100)],
                BadResponse,
                id="BadResponse, too large",
            ),
            pytest.param(
                [answer(b'{"token": 5, "a": "' + BODY.encode() + b'"}')],
                BadResponse,
                id="BadResponse, wrong form",
            ),
        ],
    )
    async def test_of_a_request(self, script: Script, kind: type[IdentityServerError]) -> None:
        """Neither what was sent nor what came back is told."""
        async with RawServer(script) as server, transport_for() as transport:
            error = await failure(ask(transport, server, Register(), Secret(USER)))

        assert type(error) is kind
        assert f"\r\nAuthorization: Bearer {USER}\r\n".encode() in server.requests[0]

    async def test_of_a_forbidden_address(self) -> None:
        """Nothing is told of what would have been sent."""
        resolver = FakeResolver(("10.0.0.1",))
        async with transport_for(resolver=lambda: resolver) as transport:
            url = parse_base_url("https://id.example.org")
            work = transport.ask(url, Register(), trusted=False, token=Secret(USER))
            error = await failure(work)

        assert type(error) is ForbiddenAddress

    @pytest.mark.parametrize("end", ["\r\nX: y", "\n", "\x00", "\x7f"])
    async def test_of_a_token_that_is_none(self, end: str) -> None:
        """T41: a token cannot smuggle a header in; it is not told either."""
        async with RawServer([answer()]) as server, transport_for() as transport:
            error = await failure(ask(transport, server, Ping(), Secret(TOKEN + end)))

        assert type(error) is CannotConnect
        assert server.requests == []

    async def test_of_a_proxy(self) -> None:
        """Nor is the password of a proxy."""
        client = NioSettings(proxy=f"http://{USER}:{TOKEN}@127.0.0.1:{free_port()}")
        async with transport_for(client=client) as transport:
            url = parse_base_url("https://id.example.org")
            error = await failure(transport.ask(url, Ping(), trusted=False))

        assert type(error) is CannotConnect

    async def test_of_a_query(self) -> None:
        """Nor the secret that one request has in its URL, which aiohttp's response shows."""
        endpoint = GetValidated3pid("sid", TOKEN)
        for script in ([answer(status="999 No")], [answer(b"x" * 100_000)]):
            async with RawServer(script) as server, transport_for() as transport:
                assert type(await failure(ask(transport, server, endpoint))) is BadResponse
