from __future__ import annotations

from typing import Any

import pytest

from nio_identity_server.testing import MatrixHomeserver, Write

from .asking import Ask

ALICE = "@alice:example.test"
TYPE = "m.identity_server"


def url(hs: MatrixHomeserver, event_type: str = TYPE, user_id: str = ALICE) -> str:
    """Give the path of a piece of account data."""
    return f"{hs.url}/_matrix/client/v3/user/{user_id}/account_data/{event_type}"


class TestHttp:
    """What a client does over HTTP."""

    async def test_put_and_get(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """What is put is got back as it is, and stands among the writes."""
        alice = hs.register("alice")
        content = {"base_url": None, "x": [1]}

        put = await ask("PUT", url(hs), token=alice.access_token, json=content)
        got = await ask("GET", url(hs), token=alice.access_token)

        assert (put.status, put.json) == (200, {})
        assert (200, content) == (got.status, got.json)
        assert content == hs.account_data("alice", TYPE)
        assert [Write(ALICE, TYPE, content, alice.device_id)] == hs.writes

        hs.clear()

        assert hs.writes == []

    async def test_absent(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """What was never put is not found."""
        alice = hs.register("alice")

        answer = await ask("GET", url(hs), token=alice.access_token)

        assert answer.error == (404, "M_NOT_FOUND")
        with pytest.raises(KeyError):
            hs.account_data("alice", TYPE)

    @pytest.mark.parametrize(
        ("body", "errcode"),
        [
            (b"[]", "M_BAD_JSON"),
            (b"null", "M_BAD_JSON"),
            (b"5", "M_BAD_JSON"),
            (b"", "M_NOT_JSON"),
            (b"{", "M_NOT_JSON"),
            (b"\xff", "M_NOT_JSON"),
            (b'{"a": NaN}', "M_NOT_JSON"),
        ],
    )
    async def test_refused(self, ask: Ask, hs: MatrixHomeserver, body: bytes, errcode: str) -> None:
        """Only a JSON object can be put; a refused one leaves no trace."""
        alice = hs.register("alice")

        answer = await ask("PUT", url(hs), token=alice.access_token, data=body)

        assert (400, errcode) == answer.error
        assert hs.writes == []

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    async def test_whose(self, ask: Ask, hs: MatrixHomeserver, method: str) -> None:
        """Nobody gets at another user's, with or without a token."""
        hs.register("alice")
        bob = hs.register("bob")

        errors = [
            (await ask(method, url(hs), token=bob.access_token, data=b"{}")).error,
            (await ask(method, url(hs), data=b"{}")).error,
            (await ask(method, url(hs), token="no", data=b"{}")).error,
        ]

        assert errors == [
            (403, "M_FORBIDDEN"),
            (401, "M_MISSING_TOKEN"),
            (401, "M_UNKNOWN_TOKEN"),
        ]

    async def test_encoded_names(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """User id and type may be percent-encoded."""
        alice = hs.register("alice")

        await ask(
            "PUT",
            url(hs, "a%2Fb", "%40alice%3Aexample.test"),
            token=alice.access_token,
            json={"x": 1},
        )

        assert hs.account_data("alice", "a/b") == {"x": 1}

    async def test_push_rules(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """Push rules are always there; they and the read marker cannot be put here."""
        alice = hs.register("alice")

        got = await ask("GET", url(hs, "m.push_rules"), token=alice.access_token)
        errors = [
            (await ask("PUT", url(hs, kind), token=alice.access_token, json={})).error
            for kind in ("m.push_rules", "m.fully_read")
        ]

        assert list(got.json) == ["global"]
        assert errors == [(405, "M_BAD_JSON")] * 2

    async def test_no_delete(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """There is no DELETE under the stable path."""
        alice = hs.register("alice")

        answer = await ask("DELETE", url(hs), token=alice.access_token)

        assert answer.error == (405, "M_UNRECOGNIZED")


class TestByMethod:
    """What a test does directly."""

    @pytest.mark.parametrize("content", [[], None, 5, "x", {}, {"base_url": 5}])
    async def test_any_content(self, ask: Ask, hs: MatrixHomeserver, content: Any) -> None:
        """Content that no client could put is stored and told all the same."""
        alice = hs.register("alice")
        hs.set_account_data("alice", TYPE, content)

        answer = await ask("GET", url(hs), token=alice.access_token)

        assert (200, content) == (answer.status, answer.json)
        assert hs.writes == []

    async def test_deleted(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """What is deleted is absent, and can be set again."""
        alice = hs.register("alice")
        hs.set_account_data("alice", TYPE, {"x": 1})
        hs.delete_account_data("alice", TYPE)

        answer = await ask("GET", url(hs), token=alice.access_token)

        assert answer.error == (404, "M_NOT_FOUND")
        with pytest.raises(KeyError):
            hs.delete_account_data("alice", TYPE)

        hs.set_account_data("alice", TYPE, {"x": 2})

        assert hs.account_data("alice", TYPE) == {"x": 2}
