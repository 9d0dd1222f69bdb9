from __future__ import annotations

import json
from typing import Any

import pytest

from nio_identity_server.endpoints.lookup import (
    LARGE,
    GetHashDetails,
    HashDetails,
    LookupUsers,
    Mappings,
)

ALICE = "4kenr7N9drpCJ4AfalmlGQVsOn3o2RHjkADUpXJWZUc"
PHONE = "nlo35_T5fzSGZzJApqu8lgIudJvmOQtDaHtr-I4rU7I"
LOOKUP = LookupUsers((ALICE, PHONE), "sha256", "matrixrocks")
# The specification's own: endpoint, request, reply, what the reply means.
EXAMPLES: list[tuple[Any, Any, Any, Any]] = [
    (
        GetHashDetails(),
        None,
        {"lookup_pepper": "matrixrocks", "algorithms": ["none", "sha256"]},
        HashDetails("matrixrocks", ("none", "sha256")),
    ),
    (
        LOOKUP,
        {"addresses": [ALICE, PHONE], "algorithm": "sha256", "pepper": "matrixrocks"},
        {"mappings": {ALICE: "@alice:example.org"}},
        Mappings({ALICE: "@alice:example.org"}),
    ),
]


def test_ten_thousand_hashes_fit_into_what_sydent_takes() -> None:
    """The body has no blanks: Sydent cuts the connection above 512 KiB."""
    payload = LookupUsers([ALICE] * 10_000, "sha256", "pc36q").payload

    assert b" " not in payload
    assert len(payload) <= 460_100


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.com email",
        '"a\\"b"@example.com email',
        '"],"algorithm":"none","x":["',
        "\u00fc\U0001f600\u2028@example.com email",
        "\0\x7f\n email",
        "half of a pair \ud800 email",
        "",
    ],
)
def test_any_address_stays_one_string(address: str) -> None:
    """With the algorithm ``none`` an address can be any text; it cannot break out of its place."""
    payload = LookupUsers([address, "b@example.com email"], "none", "pc36q").payload

    assert json.loads(payload) == {
        "addresses": [address, "b@example.com email"],
        "algorithm": "none",
        "pepper": "pc36q",
    }


@pytest.mark.parametrize(("count", "cap"), [(0, 4096), (1, 4496), (10_000, 4_004_096)])
def test_the_cap_grows_with_the_question(count: int, cap: int) -> None:
    """An answer may be as large as if everybody asked for were found, and no larger."""
    assert cap == LookupUsers([ALICE] * count, "sha256", "pc36q").cap


@pytest.mark.parametrize(("count", "large"), [(0, False), (LARGE - 1, False), (LARGE, True)])
def test_many_addresses_make_a_large_request(count: int, large: bool) -> None:
    """Only a request of many addresses may have been cut off for its size."""
    assert large == LookupUsers([ALICE] * count, "sha256", "pc36q").is_large


def test_a_lookup_may_take_a_minute() -> None:
    """Sydent serves one lookup after the other."""
    assert LOOKUP.timeout == 60.0


def test_nobody_is_found() -> None:
    """An empty object is a good reply."""
    assert LOOKUP.read(b'{"mappings": {}}') == Mappings({})


def test_addresses_do_not_show() -> None:
    """Neither what is asked for nor what is found is printed."""
    endpoint = LookupUsers(["alice@example.com email"], "none", "pc36q")
    reply = endpoint.read(b'{"mappings": {"alice@example.com email": "@a:b.example"}}')

    assert "alice@example.com" not in repr(endpoint) + repr(reply)
