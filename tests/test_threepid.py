from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from nio_identity_server.errors import InvalidAddress
from nio_identity_server.threepid import (
    ThreePid,
    email,
    msisdn,
    parse_threepid,
    parse_threepids,
    read_threepid,
)
from tests.canaries import assert_no_secret

# Every code point, halves of surrogate pairs too.
ANY_TEXT = st.text(st.characters())
AROUND_AN_AT = st.builds("{}@{}".format, ANY_TEXT, ANY_TEXT)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        # https://spec.matrix.org/v1.16/appendices/#e-mail-addresses and #pstn-phone-numbers
        ("Strauß@Example.com", "strauss@example.com"),
        ("alice@example.com", "alice@example.com"),
        ("ALICE@EXAMPLE.COM", "alice@example.com"),
        ("İ@example.org", "i̇@example.org"),
        ("ΣΊΣΥΦΟΣ@example.org", "σίσυφοσ@example.org"),
        ("ﬃ@example.org", "ffi@example.org"),
        ('"quoted"+tag@[127.0.0.1]', '"quoted"+tag@[127.0.0.1]'),
        ("a@b", "a@b"),
    ],
)
def test_an_email_address_is_case_folded_as_a_whole(text: str, address: str) -> None:
    """Folded, not lower-cased, as Sydent stores it; what a mailbox is, the mail server knows."""
    assert email(text) == ThreePid("email", address)
    assert email(text).address == address
    assert email(text).medium == "email"


@given(ANY_TEXT | AROUND_AN_AT)
@example("ᾳ@ᾳ")
@example("İ@İ")
@example("ϓ@K")
@example("\u1e9e@ß")
def test_a_good_email_address_stays_what_it_is(text: str) -> None:
    """Whatever is accepted is folded already when it is read again, or else it is refused."""
    try:
        folded = email(text)
    except InvalidAddress:
        return
    assert folded.address == text.casefold() == folded.address.casefold()
    assert email(folded.address) == folded == ThreePid("email", folded.address)
    assert folded.address.count("@") == 1
    assert not {unicodedata.category(char) for char in folded.address} & {"Cc", "Cs", "Zs"}


@given(ANY_TEXT.filter(lambda text: len(text) > 12) | AROUND_AN_AT.map("canary@@".__add__))
def test_no_refusal_repeats_any_text(text: str) -> None:
    """Whatever was given stands nowhere in what is said about it."""
    for make in (email, msisdn, parse_threepid):
        try:
            make(text)
        except InvalidAddress as error:
            told = f"{error} {error!r} {error.args}"
            assert not [text for text in (text, text.casefold()) if text in told]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a@",
        "@b",
        "ab",
        "a@@b",
        "a@evil@good.example",  # Sydent GHSA-q9h8-gpw5-c95c
        "a b@example.org",
        " a@example.org",
        "a@example.org ",
        "a@example.org\n",
        "a@exam\nple.org",
        "a\r\n@example.org",
        "a\0@example.org",
        "a\t@example.org",
        "a\x7f@example.org",
        "a\x85@example.org",
        "a\xa0@example.org",
        "a\u2028@example.org",
        "a\u202e@example.org",
        "a\u200b@example.org",
        "\ud800@example.org",
        "a@\udfff",
        "Alice <alice@example.org>",
        "\u1806 @b",
    ],
)
def test_what_is_no_bare_address_is_refused(text: str) -> None:
    """One ``@``, something on both sides, nothing blank, unprintable or half of a pair."""
    with pytest.raises(InvalidAddress):
        email(text)
    with pytest.raises(InvalidAddress):
        ThreePid("email", text)


@pytest.mark.parametrize(("length", "good"), [(499, True), (500, True), (501, False)])
def test_an_email_address_has_at_most_500_characters(length: int, good: bool) -> None:
    """Sydent stores no more."""
    text = "a" * (length - 2) + "@b"
    if good:
        assert len(email(text).address) == length
    else:
        with pytest.raises(InvalidAddress):
            email(text)


def test_the_length_is_that_of_the_folded_address() -> None:
    """``ß`` becomes two letters."""
    assert len(email("ß" * 249 + "@b").address) == 500
    with pytest.raises(InvalidAddress):
        email("ß" * 250 + "@b")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("18005552067", "18005552067"),
        ("+18005552067", "18005552067"),
        ("+44 20 7946 0000", "442079460000"),
        ("+1 (800) 555-2067", "18005552067"),
        ("  +49/30.123-4 ", "49301234"),
        ("1", "1"),
        ("1" * 15, "1" * 15),
    ],
)
def test_a_phone_number_is_its_digits(text: str, digits: str) -> None:
    """At most 15 of them (E.164), without the ``+`` and what people put between them."""
    assert msisdn(text) == ThreePid("msisdn", digits)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "++1",
        "1+2",
        "1" * 16,
        "+" + "1" * 16,
        "0x12",
        "12a",
        "alice@example.org",
        "1\n2",
        "1\t2",
        "1\0",
        "\u0661\u0662\u0663",  # Arabic-Indic digits
        "\uff11\uff12",
        "\u00b9\u00b2",
        "1\u00a02",
        "\ud800",
    ],
)
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    """Digits of ASCII only: others look the same to people, and hash to something else."""
    with pytest.raises(InvalidAddress):
        msisdn(text)


@given(ANY_TEXT)
def test_whatever_passes_for_a_phone_number_is_digits(text: str) -> None:
    """Any text is 1 to 15 digits of ASCII, or refused."""
    try:
        number = msisdn(text)
    except InvalidAddress:
        return
    assert re.fullmatch("[0-9]{1,15}", number.address)
    assert msisdn(number.address) == number


@pytest.mark.parametrize(
    ("medium", "address"),
    [
        ("email", "Alice@example.org"),
        ("email", "18005552067"),
        ("msisdn", "+18005552067"),
        ("msisdn", "alice@example.org"),
        ("msisdn", "1\n"),
        ("fax", "alice@example.org"),
        ("fax", "18005552067"),
        ("", ""),
    ],
)
def test_a_threepid_is_checked_at_birth(medium: Any, address: str) -> None:
    """Nobody can make one that is not in canonical form."""
    with pytest.raises(InvalidAddress):
        ThreePid(medium, address)


def test_a_threepid_never_shows_the_address(canaries: Any) -> None:
    """Neither printed nor formatted; it is equal, and hashes, by what it is."""
    threepid = email("Secret.Person@example.org")
    shown = f"{threepid} {threepid!r} {[threepid]} {threepid!s:>40}"
    assert "person" not in shown.lower()
    assert repr(threepid) == "<ThreePid email>"
    assert {threepid: 1}[email("secret.person@EXAMPLE.org")] == 1
    assert threepid != msisdn("1")
    canaries.others.add("secret.person")


@pytest.mark.parametrize("make", [email, msisdn, parse_threepid])
@pytest.mark.parametrize("text", ["canary.person@evil@good.example", "canary.person", "+canary."])
def test_a_refusal_never_repeats_the_text(make: Any, text: str) -> None:
    """It may be somebody's address: not in the text of the exception, nor in what it holds."""
    with pytest.raises(InvalidAddress) as caught:
        make(text)
    told = (str(caught.value), repr(caught.value), repr(caught.value.args), caught.value.reason)
    assert "canary" not in " ".join(told)
    assert caught.value.positions == ()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert_no_secret(caught.value.with_traceback(None), ["canary"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Alice@Example.org", ThreePid("email", "alice@example.org")),
        ("+44 20", ThreePid("msisdn", "4420")),
        (" +44 20", ThreePid("msisdn", "4420")),
        ("+1@example.org", ThreePid("email", "+1@example.org")),
        (ThreePid("msisdn", "1"), ThreePid("msisdn", "1")),
    ],
)
def test_what_a_text_is_meant_to_be(value: ThreePid | str, expected: ThreePid) -> None:
    """An ``@`` makes an email address, else a ``+`` in front a phone number."""
    assert parse_threepid(value) == expected


@pytest.mark.parametrize("value", ["", "alice", "4420", "a+1", "@", "+", " ", "\ud800"])
def test_a_text_that_is_neither(value: str) -> None:
    """Digits alone are not taken for a phone number: they may be anything."""
    with pytest.raises(InvalidAddress):
        parse_threepid(value)


@pytest.mark.parametrize("value", [None, 5, b"a@b", ["a@b"], ("email", "a@b"), object()])
def test_what_is_no_text_is_refused_by_its_type(value: Any) -> None:
    """The exception names the type and nothing else."""
    with pytest.raises(InvalidAddress, match=f"not {type(value).__name__}"):
        parse_threepid(value)


def test_many_are_read_in_order() -> None:
    """Of either kind, from anything that can be read once."""
    given_: list[ThreePid | str] = ["A@b", "+1", email("c@d")]
    assert parse_threepids(iter(given_)) == [
        email("a@b"),
        msisdn("1"),
        email("c@d"),
    ]
    assert parse_threepids([]) == []


def test_all_that_is_none_of_many_is_told() -> None:
    """By position, without the texts."""
    with pytest.raises(InvalidAddress) as caught:
        parse_threepids(["canary", "a@b", "", "+"])
    assert caught.value.positions == (0, 2, 3)
    assert "canary" not in str(caught.value)


def test_one_text_is_not_many() -> None:
    """Its letters are no addresses."""
    with pytest.raises(TypeError, match="not one string"):
        parse_threepids("a@b")


def test_what_a_server_says_is_brought_into_canonical_form() -> None:
    """As it was typed, or with a plus; what is neither is refused."""
    assert read_threepid("email", "Alice@Example.org") == email("alice@example.org")
    assert read_threepid("msisdn", "4420") == read_threepid("msisdn", "+44 20") == msisdn("4420")
    for medium, address in (("m.other", "a@b"), ("email", "4420"), ("msisdn", "a@b")):
        with pytest.raises(InvalidAddress):
            read_threepid(medium, address)
