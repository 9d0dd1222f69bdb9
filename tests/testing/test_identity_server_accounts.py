from __future__ import annotations

import attrs
import pytest

from nio_identity_server.testing import MatrixHomeserver, MatrixIdentityServer

from .asking import Ask

V2 = "/_matrix/identity/v2"
ALICE = "@alice:example.test"


@attrs.frozen
class Liar:
    """A homeserver that proves users of another one."""

    server_name: str = "liar.test"

    def openid_owner(self, token: str) -> str | None:
        """Prove alice of another server by any token."""
        assert token
        return ALICE


async def openid(ask: Ask, hs: MatrixHomeserver) -> dict[str, str]:
    """Register alice, and give her OpenID token as a body for the registration."""
    alice = hs.register("alice")
    url = f"{hs.url}/_matrix/client/v3/user/{ALICE}/openid/request_token"
    body: dict[str, str] = (await ask("POST", url, token=alice.access_token, json={})).json
    return body


class TestRegister:
    """Registration with an OpenID token."""

    async def test_a_proven_user_gets_a_token(
        self, ask: Ask, hs: MatrixHomeserver, idserver: MatrixIdentityServer
    ) -> None:
        """The token comes under both names and without a length; each call gives another."""
        body = await openid(ask, hs)

        answers = [
            await ask("POST", f"{idserver.url}{V2}/account/register", json=body) for _ in range(2)
        ]

        first, second = (answer.json["token"] for answer in answers)
        assert first == answers[0].json["access_token"]
        assert answers[0].headers["Transfer-Encoding"] == "chunked"
        assert {first: ALICE, second: ALICE} == idserver.tokens
        assert {first, second} == idserver.live_tokens
        assert idserver.foreign_tokens == []

    async def test_one_of_several_homeservers(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """The server name, in any case, says which homeserver is asked."""
        body = await openid(ask, hs)
        body["matrix_server_name"] = "EXAMPLE.test"

        async with MatrixIdentityServer([Liar(), hs]) as idserver:
            answer = await ask("POST", f"{idserver.url}{V2}/account/register", json=body)

        assert idserver.tokens[answer.json["token"]] == ALICE

    @pytest.mark.parametrize(
        ("change", "error", "text"),
        [
            ({"access_token": "no"}, (500, "M_UNKNOWN"), "'sub'"),
            ({"access_token": 5}, (500, "M_UNKNOWN"), "Internal"),
            ({"matrix_server_name": "other.test"}, (500, "M_UNKNOWN"), "DNSLookupError"),
            ({"matrix_server_name": "liar.test"}, (500, "M_UNKNOWN"), "another homeserver"),
            ({"matrix_server_name": "a b"}, (400, "M_INVALID_PARAM"), "valid"),
            ({"matrix_server_name": None}, (500, "M_UNKNOWN"), "Internal"),
        ],
    )
    async def test_refused(
        self,
        ask: Ask,
        hs: MatrixHomeserver,
        change: dict[str, object],
        error: tuple[int, str],
        text: str,
    ) -> None:
        """Whatever goes wrong at the homeserver is a 500 here, as Sydent has it."""
        body = {**await openid(ask, hs), **change}

        async with MatrixIdentityServer([hs, Liar()]) as idserver:
            answer = await ask("POST", f"{idserver.url}{V2}/account/register", json=body)

        assert error == answer.error
        assert text in answer.json["error"]
        assert idserver.tokens == {}

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            (b"", (400, "M_BAD_JSON")),
            (b"null", (400, "M_MISSING_PARAMS")),
            (b"{}", (400, "M_MISSING_PARAMS")),
            (b"[]", (400, "M_MISSING_PARAMS")),
            (b'["matrix_server_name", "access_token"]', (500, "M_UNKNOWN")),
            (b"5", (500, "M_UNKNOWN")),
        ],
    )
    async def test_bad_bodies(
        self, ask: Ask, idserver: MatrixIdentityServer, body: bytes, error: tuple[int, str]
    ) -> None:
        """Garbage and missing keys have the errcodes of the Identity Service API."""
        answer = await ask("POST", f"{idserver.url}{V2}/account/register", data=body)

        assert error == answer.error
        assert answer.headers["Transfer-Encoding"] == "chunked"

    async def test_without_a_homeserver_nobody_is_proven(self, ask: Ask) -> None:
        """A server that knows no homeserver can only be given users by method."""
        async with MatrixIdentityServer() as idserver:
            body = {"matrix_server_name": "example.test", "access_token": "t"}
            answer = await ask("POST", f"{idserver.url}{V2}/account/register", json=body)
            token = idserver.issue_token(ALICE)
            account = await ask("GET", f"{idserver.url}{V2}/account", token=token)

        assert answer.error == (500, "M_UNKNOWN")
        assert account.json == {"user_id": ALICE}


class TestTokens:
    """Tokens and their end."""

    async def test_by_query(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """A GET takes its token from the query too, a POST does not."""
        query = f"?access_token={idserver.issue_token(ALICE)}"

        account = await ask("GET", f"{idserver.url}{V2}/account{query}")
        logout = await ask("POST", f"{idserver.url}{V2}/account/logout{query}", json={})

        assert account.json == {"user_id": ALICE}
        assert logout.error == (401, "M_UNAUTHORIZED")

    @pytest.mark.parametrize("header", [None, "Bearer no", "bearer {}", "Bearer"])
    async def test_wrong(
        self, ask: Ask, idserver: MatrixIdentityServer, header: str | None
    ) -> None:
        """No token, an unknown one and another spelling of the scheme are all the same."""
        token = idserver.issue_token(ALICE)
        headers = {} if header is None else {"Authorization": header.format(token)}

        answer = await ask("GET", f"{idserver.url}{V2}/account", headers=headers)

        assert answer.error == (401, "M_UNAUTHORIZED")

    async def test_a_post_without_header_and_body(
        self, ask: Ask, idserver: MatrixIdentityServer
    ) -> None:
        """The token is looked for in the body, which is therefore refused first."""
        answer = await ask("POST", f"{idserver.url}{V2}/account/logout")

        assert answer.error == (400, "M_BAD_JSON")

    async def test_logout(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """A token that was logged out is unknown, and stays on record."""
        token = idserver.issue_token(ALICE)

        answers = [
            await ask("POST", f"{idserver.url}{V2}/account/logout", token=token) for _ in range(2)
        ]

        assert (answers[0].status, answers[0].json) == (200, {})
        assert answers[1].error == (401, "M_UNAUTHORIZED")
        assert ({token: ALICE}, set()) == (idserver.tokens, idserver.live_tokens)
        assert idserver.foreign_tokens == []

    async def test_revoked(self, ask: Ask, idserver: MatrixIdentityServer) -> None:
        """All tokens can be ended at once."""
        token = idserver.issue_token(ALICE)
        idserver.revoke_tokens()

        answer = await ask("GET", f"{idserver.url}{V2}/account", token=token)

        assert answer.error == (401, "M_UNAUTHORIZED")
        assert idserver.foreign_tokens == []
