from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from nio_identity_server.signing import (
    NotAKey,
    NotSignable,
    canonical_json,
    decode_base64,
    encode_base64,
    is_key,
    is_signed,
    public_key_of,
    sign_json,
)
from tests.canaries import assert_no_secret

# https://spec.matrix.org/v1.16/appendices/#cryptographic-test-vectors
SEED = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"
PUBLIC = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"
VECTORS: list[tuple[dict[str, Any], str]] = [
    ({}, "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"),
    (
        {"one": 1, "two": "Two"},
        "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
    ),
]
# https://spec.matrix.org/v1.16/appendices/#examples, and what its grammar says of strings.
CANONICAL = {
    "nothing": ("{}", "{}"),
    "two": ('{ "one": 1,\n "two": "Two" }', '{"one":1,"two":"Two"}'),
    "sorted": ('{ "b": "2", "a": "1" }', '{"a":"1","b":"2"}'),
    "sorted, without blanks": ('{"b":"2","a":"1"}', '{"a":"1","b":"2"}'),
    "nested": (
        """{"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {
           "display_name": "John Doe", "three_pids": [
             {"medium": "email", "address": "john.doe@example.org"},
             {"medium": "msisdn", "address": "123456789"}]}}}""",
        (
            '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe",'
            '"three_pids":[{"address":"john.doe@example.org","medium":"email"},'
            '{"address":"123456789","medium":"msisdn"}]},"success":true}}'
        ),
    ),
    "outside ASCII": ('{"a": "日本語"}', '{"a":"日本語"}'),
    "keys outside ASCII": ('{"本": 2, "日": 1}', '{"日":1,"本":2}'),
    "an escape that is not needed": (r'{"a": "\u65E5"}', '{"a":"日"}'),
    "null": ('{"a": null}', '{"a":null}'),
    "numbers": ('{"a": -0, "b": 1e10}', '{"a":0,"b":10000000000}'),
    "another zero": ('{"a": -0.0}', '{"a":0}'),
    "the largest": ('{"a": 9007199254740991}', '{"a":9007199254740991}'),
    "the smallest": ('{"a": -9007199254740991}', '{"a":-9007199254740991}'),
    "escapes that are needed": (
        r'{"a": "\u0022\u005c\u0008\u000c\u000a\u000d\u0009\u0000\u001F"}',
        r'{"a":"\"\\\b\f\n\r\t\u0000\u001f"}',
    ),
    "no escapes": ('{"a": "\\u007f\\u2028\\/"}', '{"a":"\x7f\u2028/"}'),
    # By code point, not by UTF-16: U+FF5E stands before U+1F600, whose first half is D83D.
    "beyond 16 bits": ('{"\U0001f600": 1, "\uff5e": 2}', '{"\uff5e":2,"\U0001f600":1}'),
    "capitals first": ('{"a": 1, "B": 2, "": 3}', '{"":3,"B":2,"a":1}'),
}
KEYS = st.binary(min_size=32, max_size=32).map(encode_base64)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=4)
UNSIGNED = {"signatures", "unsigned"}


def nested(depth: int) -> dict[str, Any]:
    """An object inside of so many others."""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def signature_of(signed: Mapping[str, Any]) -> str:
    """The only signature of an object."""
    ((signature,),) = (keys.values() for keys in signed["signatures"].values())
    assert isinstance(signature, str)
    return signature


# -- canonical JSON


@pytest.mark.parametrize(("text", "expected"), CANONICAL.values(), ids=CANONICAL)
def test_canonical_form(text: str, expected: str) -> None:
    """An object is written in the one form that the appendix gives."""
    assert canonical_json(json.loads(text)) == expected.encode()


@settings(max_examples=300, deadline=None)
@given(OBJECTS)
@example({"\uffff": 1, "\U00010000": 2, "a": 3, "B": [True, None, {"b": 1, "a": ""}]})
def test_canonical_json_is_the_same_json(value: dict[str, Any]) -> None:
    """It means what was given, has no blanks, is sorted by code point, and is stable."""
    written = canonical_json(value)
    pairs: list[list[str]] = []

    def keep(each: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs.append([key for key, _ in each])
        return dict(each)

    again = json.loads(written, object_pairs_hook=keep)
    assert again == value
    assert [sorted(keys, key=lambda key: list(map(ord, key))) for keys in pairs] == pairs
    assert canonical_json(again) == written
    assert len(written.decode()) == len(
        json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    )


@given(OBJECTS)
def test_the_order_of_the_keys_does_not_matter(value: dict[str, Any]) -> None:
    """Equal objects have one canonical form, whatever their mappings and sequences are made of."""
    turned = MappingProxyType({key: value[key] for key in reversed(value)})
    assert canonical_json(turned) == canonical_json(value)
    assert canonical_json({"a": turned, "b": (1, 2)}) == canonical_json({"b": [1, 2], "a": value})


class Number(IntEnum):
    """A number that is also something else."""

    TWO = 2


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": 1.5}, "no float"),
        ({"a": float("nan")}, "no float"),
        ({"a": float("inf")}, "no float"),
        ({"a": [{"b": -0.25}]}, "no float"),
        ({"a": 1e300}, "too large"),
        ({"a": 2.0**53}, "too large"),
        ({"a": 2**53}, "too large"),
        ({"a": -(2**53)}, "too large"),
        ({"a": [1, [2**64]]}, "too large"),
        ({"a": "\ud800"}, "no UTF-8"),
        ({"\udfff": 1}, "no UTF-8"),
        ({1: "a"}, "key is not a string"),
        ({"a": {None: 1}}, "key is not a string"),
        ({"a": 1, 2: 3}, "key is not a string"),
        ({"a": b"b"}, "no bytes"),
        ({"a": {1, 2}}, "no set"),
        ({"a": object()}, "no object"),
        (nested(101), "nested too deeply"),
        (nested(10_000), "nested too deeply"),
    ],
)
def test_what_has_no_canonical_form(value: Any, why: str) -> None:
    """What is no JSON, or none that can be signed, is refused with the rule that it breaks."""
    with pytest.raises(NotSignable, match=why) as caught:
        canonical_json(value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_what_contains_itself_is_refused() -> None:
    """No recursion without end."""
    value: dict[str, Any] = {}
    value["a"] = [value]
    with pytest.raises(NotSignable, match="nested too deeply"):
        canonical_json(value)


def test_what_is_nested_a_hundred_times_is_not_too_deep() -> None:
    """The limit is that, and not one less."""
    assert canonical_json(nested(100)) == b'{"a":' * 100 + b"{}" + b"}" * 100
    lists: list[Any] = []
    for _ in range(99):
        lists = [lists]
    assert canonical_json({"a": lists}) == b'{"a":' + b"[" * 100 + b"]" * 100 + b"}"
    with pytest.raises(NotSignable, match="nested too deeply"):
        canonical_json({"a": [lists]})


def test_a_subclass_of_a_number_is_written_as_a_number() -> None:
    """And True as true."""
    assert canonical_json({"a": Number.TWO, "b": True}) == b'{"a":2,"b":true}'


def test_why_something_cannot_be_signed_does_not_say_what_it_is() -> None:
    """The value may be somebody's address."""
    for value in ({"canary": 1.5}, {"a": "canary\ud800"}, {"a": b"canary"}, {"canary": {1: 2}}):
        with pytest.raises(NotSignable) as caught:
            canonical_json(value)
        assert_no_secret(caught.value.with_traceback(None), ["canary"])


# -- signatures


@pytest.mark.parametrize(("value", "signature"), VECTORS)
def test_published_signatures(value: dict[str, Any], signature: str) -> None:
    """The signatures that the specification publishes come out, and are taken for good."""
    signed = sign_json(value, SEED, "domain", "ed25519:1")

    assert signed == {**value, "signatures": {"domain": {"ed25519:1": signature}}}
    assert is_signed(value, signature, PUBLIC)
    assert is_signed(signed, signature, PUBLIC)


def test_published_key() -> None:
    """The public key belongs to the seed."""
    assert public_key_of(SEED) == PUBLIC


def test_one_signature_is_not_good_for_another_object() -> None:
    """Each belongs to one object."""
    (first, one), (second, two) = VECTORS
    assert not is_signed(first, two, PUBLIC)
    assert not is_signed(second, one, PUBLIC)


@settings(max_examples=40, deadline=None)
@given(OBJECTS, KEYS, KEYS)
def test_what_was_signed_is_signed(value: dict[str, Any], key: str, other: str) -> None:
    """By that key and no other; and what was given is neither lost nor changed."""
    value = {name: part for name, part in value.items() if name not in UNSIGNED}
    before = copy.deepcopy(value)
    signed = sign_json(value, key, "example.org", "ed25519:0")

    assert is_signed(signed, signature_of(signed), public_key_of(key))
    assert (key == other) is is_signed(signed, signature_of(signed), public_key_of(other))
    assert {name: part for name, part in signed.items() if name != "signatures"} == before == value


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(0, 511))
def test_a_signature_with_one_bit_flipped_is_none(key: str, bit: int) -> None:
    """Whichever bit it is."""
    signed = sign_json({"a": "b"}, key, "example.org", "ed25519:0")
    flipped = bytearray(decode_base64(signature_of(signed)))
    flipped[bit // 8] ^= 1 << bit % 8

    assert not is_signed(signed, encode_base64(bytes(flipped)), public_key_of(key))


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1), st.data())
def test_an_object_with_one_bit_flipped_is_not_signed(text: str, data: st.DataObject) -> None:
    """A signature covers every character."""
    signature = signature_of(sign_json({"a": text}, SEED, "example.org", "ed25519:0"))
    place = data.draw(st.integers(0, len(text) - 1))
    changed = chr(ord(text[place]) ^ 1)
    other = {"a": text[:place] + changed + text[place + 1 :]}

    assert is_signed({"a": text}, signature, PUBLIC)
    assert not is_signed(other, signature, PUBLIC)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 255))
def test_a_public_key_with_one_bit_flipped_has_signed_nothing(bit: int) -> None:
    """It may not even be a point of the curve."""
    value, signature = VECTORS[1]
    flipped = bytearray(decode_base64(PUBLIC))
    flipped[bit // 8] ^= 1 << bit % 8

    assert not is_signed(value, signature, encode_base64(bytes(flipped)))


def test_unsigned_and_signatures_are_not_signed() -> None:
    """Others may add to both; anything else counts."""
    value, signature = VECTORS[1]
    more = {**value, "unsigned": {"age_ts": 1.5}, "signatures": {"x": {"y": "z"}}}

    assert is_signed(more, signature, PUBLIC)
    assert signature_of(sign_json({**value, "unsigned": 1}, SEED, "x", "y")) == signature
    assert not is_signed({**value, "three": 3}, signature, PUBLIC)
    assert not is_signed({**value, "nested": more}, signature, PUBLIC)


def test_earlier_signatures_stay() -> None:
    """Of others and of the same server; what was given is not changed."""
    value = {"signatures": {"a": {"ed25519:0": "x"}, "b": {"ed25519:0": "y"}}, "unsigned": {}}
    signed = sign_json(value, SEED, "a", "ed25519:1")

    assert signed == {
        "signatures": {
            "a": {"ed25519:0": "x", "ed25519:1": VECTORS[0][1]},
            "b": {"ed25519:0": "y"},
        },
        "unsigned": {},
    }
    assert value == {
        "signatures": {"a": {"ed25519:0": "x"}, "b": {"ed25519:0": "y"}},
        "unsigned": {},
    }


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64", "\ud800", VECTORS[1][1][:-2], "é"])
def test_what_is_no_signature(signature: str) -> None:
    """Anything that is not 64 bytes in base64 proves nothing, and raises nothing."""
    assert not is_signed(VECTORS[1][0], signature, PUBLIC)


@pytest.mark.parametrize("value", [{"one": 0.5}, {"one": "\ud800"}, {"one": b""}, nested(200)])
def test_what_cannot_be_signed_is_not_signed(value: dict[str, Any]) -> None:
    """Whatever the signature."""
    assert not is_signed(value, VECTORS[0][1], PUBLIC)
    with pytest.raises(NotSignable):
        sign_json(value, SEED, "domain", "ed25519:1")


# -- base64 and keys


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg"),
        (b"fooba", "Zm9vYmE"),
        (b"foobar", "Zm9vYmFy"),
        (b"\xfb\xff", "+/8"),
    ],
)
def test_published_base64(data: bytes, text: str) -> None:
    """The examples of the appendix, and the two letters in which the alphabets differ."""
    assert encode_base64(data) == text
    assert decode_base64(text) == data


@given(st.binary(min_size=1))
def test_both_alphabets_are_read(data: bytes) -> None:
    """With padding and without; written is the standard one, without."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        padded = encode(data).decode()
        assert decode_base64(padded) == decode_base64(padded.rstrip("=")) == data
    assert encode_base64(data) == base64.b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    "text", ["", "=", "====", "A", "AAAAA", "Zg===", "Zm 8", "Zm8\n", "\nZm8", "Zm8é", "Z=g", "٣٣"]
)
def test_what_is_no_base64(text: str) -> None:
    """Nothing is skipped and nothing is guessed."""
    with pytest.raises(ValueError, match=r"^(?!.*Zm)"):
        decode_base64(text)


@given(st.text(st.characters(exclude_categories=())) | st.text("AZaz09+/-_="))
def test_any_text_is_base64_or_a_value_error(text: str) -> None:
    """And never another exception."""
    try:
        data = decode_base64(text)
    except ValueError:
        assert not is_key(text)
    else:
        assert is_key(text) is (len(data) == 32)


@pytest.mark.parametrize("length", [*range(1, 32), 33, 57, 64])
def test_keys_of_another_length(length: int) -> None:
    """A key is 32 bytes: no more, and no fewer."""
    text = encode_base64(bytes(length))

    assert not is_key(text)
    assert not is_signed({}, VECTORS[0][1], text)
    for use in (
        public_key_of,
        lambda key: sign_json({}, key, "x", "y"),
    ):
        with pytest.raises(NotAKey, match=r"^a key is 32 bytes in base64$"):
            use(text)


@pytest.mark.parametrize("text", ["", "canary", "canary é", SEED + "\n", SEED[:-1] + "*", SEED * 2])
def test_a_text_that_is_no_key_is_not_repeated(text: str) -> None:
    """Neither in the exception nor in what hangs on it: it may be nearly a key."""
    assert not is_key(text)
    with pytest.raises(NotAKey) as caught:
        public_key_of(text)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert_no_secret(caught.value.with_traceback(None), [SEED[:-1], "canary"])


def test_a_key_is_read_in_either_alphabet() -> None:
    """With padding or without, whoever wrote it."""
    spellings = [SEED, SEED + "=", SEED.replace("+", "-"), SEED.replace("+", "-") + "="]

    assert len(set(spellings)) == 4
    assert {public_key_of(each) for each in spellings} == {PUBLIC}
    assert all(map(is_key, spellings))
    value, signature = VECTORS[1]
    url_safe = signature.replace("+", "-").replace("/", "_")
    assert is_signed(value, url_safe, PUBLIC + "=")
    assert {signature_of(sign_json(value, each, "x", "y")) for each in spellings} == {signature}


@settings(max_examples=40, deadline=None)
@given(KEYS)
def test_a_public_key_is_a_key_too_and_not_the_private_one(key: str) -> None:
    """It has 32 bytes in the standard alphabet, without padding."""
    public = public_key_of(key)

    assert len(decode_base64(public)) == 32
    assert public == encode_base64(decode_base64(public))
    assert public != key


@pytest.mark.parametrize("odd", [5, "x", ["a"], {"domain": "x"}])
def test_signatures_that_are_no_objects_are_not_added_to(odd: object) -> None:
    """What has been there cannot be kept."""
    with pytest.raises(NotSignable, match="no objects"):
        sign_json({"signatures": odd}, SEED, "domain", "ed25519:1")
