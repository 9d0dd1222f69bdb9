from __future__ import annotations

from nio_identity_server.testing import MatrixHomeserver

from .asking import Ask

ALICE = "@alice:example.test"


def request_token(hs: MatrixHomeserver) -> str:
    """Give the URL that issues tokens for alice."""
    return f"{hs.url}/_matrix/client/v3/user/{ALICE}/openid/request_token"


def userinfo(hs: MatrixHomeserver, query: str) -> str:
    """Give the URL that other services check tokens at."""
    return f"{hs.url}/_matrix/federation/v1/openid/userinfo{query}"


class TestOpenId:
    """OpenID tokens."""

    async def test_issued_and_checked(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A token proves its user, to a service and to a test."""
        alice = hs.register("alice")

        answer = await ask("POST", request_token(hs), token=alice.access_token, json={})
        token = answer.json["access_token"]
        checked = await ask("GET", userinfo(hs, f"?access_token={token}"))

        assert {
            "access_token": token,
            "token_type": "Bearer",
            "matrix_server_name": "example.test",
            "expires_in": 3600,
        } == answer.json
        assert checked.json == {"sub": ALICE}
        assert hs.openid_owner(token) == ALICE
        assert {token: ALICE} == hs.openid_tokens

    async def test_expired(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """An expired token proves nothing."""
        alice = hs.register("alice")
        answer = await ask("POST", request_token(hs), token=alice.access_token, json={})
        token = answer.json["access_token"]

        hs.expire_openid_tokens()
        checked = await ask("GET", userinfo(hs, f"?access_token={token}"))

        assert checked.error == (401, "M_UNKNOWN_TOKEN")
        assert hs.openid_owner(token) is None

    async def test_refused(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A token needs a JSON body, and is for oneself; a check needs a token."""
        alice, bob = hs.register("alice"), hs.register("bob")

        errors = [
            (await ask("POST", request_token(hs), token=alice.access_token)).error,
            (await ask("POST", request_token(hs), token=bob.access_token, json={})).error,
            (await ask("GET", userinfo(hs, ""))).error,
            (await ask("GET", userinfo(hs, "?access_token=no"))).error,
        ]

        assert errors == [
            (400, "M_NOT_JSON"),
            (403, "M_FORBIDDEN"),
            (401, "M_MISSING_TOKEN"),
            (401, "M_UNKNOWN_TOKEN"),
        ]
