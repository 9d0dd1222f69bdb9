from __future__ import annotations

import json
from typing import Any

import pytest

from nio_identity_server.testing import MatrixHomeserver
from nio_identity_server.testing.homeserver.filters import visible

from .asking import Ask

EVENTS = [
    {"type": "m.identity_server", "content": {"base_url": None}},
    {"type": "m.by_alice", "content": {"user_id": "@alice:x"}},
    {"type": "org.link", "content": {"url": "https://x.test"}},
    {"type": "org.list", "content": []},
    "broken",
]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"limit": 0}, [0, 1, 2, 3, 4]),
        ({"types": []}, []),
        ({"types": ["m.*"]}, [0, 1]),
        ({"types": ["m.identity_server"]}, [0]),
        ({"types": ["*"]}, [0, 1, 2, 3]),
        ({"not_types": ["*"]}, [4]),
        ({"not_types": ["m.*"]}, [2, 3, 4]),
        ({"types": ["m.*"], "not_types": ["m.identity_server"]}, [1]),
        ({"senders": ["@alice:x"]}, [1]),
        ({"not_senders": ["@alice:x"]}, [0, 2, 3, 4]),
        ({"rooms": ["!r:x"]}, []),
        ({"not_rooms": ["!r:x"]}, [0, 1, 2, 3, 4]),
        ({"contains_url": True}, [2]),
        ({"contains_url": False}, [0, 1, 3, 4]),
    ],
)
def test_what_a_filter_shows(part: dict[str, Any], expected: list[int]) -> None:
    """Account data is put to every test of an event filter."""
    shown = visible(EVENTS, {"account_data": part})

    assert [EVENTS[index] for index in expected] == shown


def test_other_parts_hide_nothing() -> None:
    """Room account data and event fields do not touch global account data."""
    definition = {"room": {"account_data": {"types": []}}, "event_fields": ["type"]}

    assert visible(EVENTS, definition) == EVENTS


class TestHttp:
    """What a client does over HTTP."""

    async def test_stored_and_used(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """An uploaded filter is named by its id, by its owner only."""
        alice, bob = hs.register("alice"), hs.register("bob")
        url = f"{hs.url}/_matrix/client/v3/user/@alice:example.test/filter"
        definition = {"account_data": {"not_types": ["*"]}}

        uploaded = await ask("POST", url, token=alice.access_token, json=definition)
        number = uploaded.json["filter_id"]
        downloaded = await ask("GET", f"{url}/{number}", token=alice.access_token)
        sync = f"{hs.url}/_matrix/client/v3/sync?filter={number}"
        used = await ask("GET", sync, token=alice.access_token)

        assert definition == downloaded.json
        assert "account_data" not in used.json
        assert (await ask("GET", sync, token=bob.access_token)).error == (400, "M_INVALID_PARAM")

    async def test_inline(self, ask: Ask, hs: MatrixHomeserver) -> None:
        """A filter can stand in the query."""
        alice = hs.register("alice")

        answer = await ask(
            "GET",
            f"{hs.url}/_matrix/client/v3/sync?filter=%7B%22account_data%22:%7B%22types%22:[]%7D%7D",
            token=alice.access_token,
        )

        assert "account_data" not in answer.json

    @pytest.mark.parametrize(
        "part", [[], {"types": "m.x"}, {"not_rooms": [5]}, {"types": None}, {"not_senders": ["*"]}]
    )
    async def test_misshapen(self, ask: Ask, hs: MatrixHomeserver, part: Any) -> None:
        """A filter that does not fit the schema is not stored."""
        alice = hs.register("alice")

        answer = await ask(
            "POST",
            f"{hs.url}/_matrix/client/v3/user/@alice:example.test/filter",
            token=alice.access_token,
            data=json.dumps({"account_data": part}),
        )

        assert answer.error == (400, "M_UNKNOWN")

    @pytest.mark.parametrize(
        ("number", "error"),
        [("0", (404, "M_NOT_FOUND")), ("x", (400, "M_UNKNOWN")), ("-1", (400, "M_UNKNOWN"))],
    )
    async def test_unknown(
        self, ask: Ask, hs: MatrixHomeserver, number: str, error: tuple[int, str]
    ) -> None:
        """A filter that was never uploaded is not found."""
        alice = hs.register("alice")

        answer = await ask(
            "GET",
            f"{hs.url}/_matrix/client/v3/user/@alice:example.test/filter/{number}",
            token=alice.access_token,
        )

        assert answer.error == error
