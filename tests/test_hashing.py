from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings, strategies as st

from nio_identity_server import hashing
from nio_identity_server.errors import InvalidAddress
from nio_identity_server.threepid import Medium, email


def reference(address: str, medium: str, pepper: str) -> str:
    """The specification's definition in one line, by other means than the package's."""
    digest = hashlib.sha256(f"{address} {medium} {pepper}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _canonical(text: str) -> str | None:
    try:
        return email(text).address
    except InvalidAddress:
        return None


ODD = st.sampled_from(["İ", "Σ", "ς", "ﬃ", "ß", "ẞ", "K", "\U0001f600", "é", "e\u0301", "+", '"'])
PART = st.lists(ODD | st.characters(codec="utf-8"), min_size=1, max_size=12).map("".join)
ADDRESSES = st.builds("{}@{}".format, PART, PART).map(_canonical).filter(bool)
PEPPERS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=256).filter(str.isprintable)


def hash_addresses(addresses: Sequence[str], medium: Medium, pepper: str) -> list[str]:
    """Ours, of texts."""
    return hashing.hash_addresses([text.encode() for text in addresses], medium, pepper)


@pytest.mark.parametrize(
    ("address", "medium", "pepper", "expected"),
    [
        # https://spec.matrix.org/v1.16/identity-service-api/#hashing
        (
            "alice@example.com",
            "email",
            "matrixrocks",
            "4kenr7N9drpCJ4AfalmlGQVsOn3o2RHjkADUpXJWZUc",
        ),
        ("bob@example.com", "email", "matrixrocks", "LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT8"),
        ("18005552067", "msisdn", "matrixrocks", "nlo35_T5fzSGZzJApqu8lgIudJvmOQtDaHtr-I4rU7I"),
        # matrix-js-sdk, spec/unit/matrix-client
        ("bob@email.dummy", "email", "carrot", "WHA-MgrrsZACDI9F8OaVagpiyiV2sjZylGHJteT4OMU"),
    ],
)
def test_published_vectors(address: str, medium: Medium, pepper: str, expected: str) -> None:
    """The specification's three hashes, and matrix-js-sdk's."""
    assert hash_addresses([address], medium, pepper) == [expected]
    assert reference(address, medium, pepper) == expected


@given(
    st.lists(ADDRESSES, max_size=8),
    st.sampled_from(["email", "msisdn"]),
    PEPPERS,
)
@example([], "email", "p")
@example(["i̇@ς".casefold(), "ffi@ss"], "email", " ")
@example(["a@b", "a@b"], "msisdn", "\u00e9\U0001f600")
def test_a_batch_is_what_one_by_one_would_be(
    addresses: Sequence[str], medium: Medium, pepper: str
) -> None:
    """In order, duplicates included, for any address in canonical form and any pepper."""
    expected = [reference(address, medium, pepper) for address in addresses]
    assert hash_addresses(addresses, medium, pepper) == expected


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4_095, 4_096, 4_097, 5_000, 12_345])
def test_batches_of_any_size(size: int) -> None:
    """Nothing depends on where a batch ends."""
    addresses = [f"user{number}@example.org" for number in range(size)]
    assert hash_addresses(addresses, "email", "pepper") == [
        reference(address, "email", "pepper") for address in addresses
    ]


@settings(max_examples=20)
@given(st.lists(st.from_regex(r"[0-9]{1,15}", fullmatch=True), min_size=1, max_size=50))
def test_phone_numbers(numbers: Sequence[str]) -> None:
    """Hashed by their digits, under their own medium."""
    expected = [reference(number, "msisdn", "pc36q") for number in numbers]
    assert hash_addresses(tuple(numbers), "msisdn", "pc36q") == expected
    assert hash_addresses(numbers, "email", "pc36q") != expected


def test_a_hash_is_url_safe_and_43_characters_long() -> None:
    """Neither ``+`` nor ``/`` nor ``=``, over enough hashes for each to have come up."""
    hashes = hash_addresses([f"{number}@example.org" for number in range(2_000)], "email", "x")
    assert {len(each) for each in hashes} == {43}
    letters = set("".join(hashes))
    assert not letters & set("+/=\n")
    assert {"-", "_"} <= letters
