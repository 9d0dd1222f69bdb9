from __future__ import annotations

import json
import time
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings, strategies as st

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.pending_validation import LIFETIME, PendingValidation
from nio_identity_server.threepid import ThreePid, email, msisdn
from tests.canaries import assert_no_secret

SECRET = "canary-secret"
ADDRESS = "canary.person@example.org"
LINK = "https://example.org/?canary-link=1"
CANARIES = (SECRET, ADDRESS, LINK, "canary", "442079460000")
SERVER = parse_base_url("https://id.example.org/path")
ALICE = "@alice:example.org"
MAIL = PendingValidation(email(ADDRESS), SERVER, "sid-1", SECRET, 1, None, LINK, 1_000.5, ALICE)
PHONE = PendingValidation(
    msisdn("+442079460000"), SERVER, "7", SECRET, send_attempt=3, country="GB", changed_at=1e9
)
STORED = json.loads(MAIL.to_json())
REFUSAL = "^not a validation that was written by to_json\\(\\)$"

OPAQUE = st.text("0aZ.=_-", min_size=1, max_size=255)
VALIDATIONS = st.builds(
    PendingValidation,
    threepid=st.sampled_from([email(ADDRESS), email("ä+b@exämple.org"), msisdn("+15")]),
    base_url=st.sampled_from([SERVER, parse_base_url("http://[::1]:8090")]),
    sid=OPAQUE,
    client_secret=OPAQUE,
    send_attempt=st.integers(1, 2**31),
    country=st.none() | st.text("ABZ", min_size=2, max_size=2),
    next_link=st.none() | st.text().map("https://example.org/".__add__),
    changed_at=st.floats(0, 1e12),
)


def refusal(text: str) -> ValueError:
    """What is raised for a text that to_json() has not written."""
    with pytest.raises(ValueError, match=REFUSAL) as caught:
        PendingValidation.from_json(text)
    return caught.value


@given(VALIDATIONS)
def test_what_was_written_is_read_as_the_same(validation: PendingValidation) -> None:
    """All of it, with the time of the last change, which does not count when two are compared."""
    again = PendingValidation.from_json(validation.to_json())

    assert again == validation
    assert attrs.astuple(again, recurse=False) == attrs.astuple(validation, recurse=False)
    assert again.to_json() == validation.to_json()


def test_what_is_written() -> None:
    """Strings and numbers only, one for each attribute; a later version has to read it."""
    assert json.loads(MAIL.to_json()) == {
        "threepid": {"medium": "email", "address": ADDRESS},
        "base_url": "https://id.example.org/path",
        "sid": "sid-1",
        "client_secret": SECRET,
        "send_attempt": 1,
        "country": None,
        "next_link": LINK,
        "changed_at": 1000.5,
        "user_id": ALICE,
    }
    assert set(json.loads(PHONE.to_json())) == {
        each.name for each in attrs.fields(PendingValidation)
    }


def test_a_validation_that_was_written_by_hand_is_read() -> None:
    """Blanks, another order, and keys of a later version do not matter."""
    text = json.dumps(dict(reversed(STORED.items())) | {"later": [1]}, indent=2)
    assert PendingValidation.from_json(text) == MAIL


@pytest.mark.parametrize("name", list(STORED))
def test_nothing_of_it_may_be_missing(name: str) -> None:
    """A text that lacks a part is not guessed at."""
    refusal(json.dumps({key: value for key, value in STORED.items() if key != name}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threepid", None),
        ("threepid", ADDRESS),
        ("threepid", {"medium": "email"}),
        ("threepid", {"medium": "email", "address": "Canary@Example.org"}),
        ("threepid", {"medium": "email", "address": "canary"}),
        ("threepid", {"medium": "msisdn", "address": "+4420"}),
        ("threepid", {"medium": "msisdn", "address": 4420}),
        ("threepid", {"medium": "fax", "address": "4420"}),
        ("base_url", None),
        ("base_url", ""),
        ("base_url", "javascript:alert(1)"),
        ("base_url", "https://u:canary@id.example.org"),
        ("sid", ""),
        ("sid", "canary\n"),
        ("sid", "canary/../x"),
        ("sid", 5),
        ("client_secret", ""),
        ("client_secret", "canary "),
        ("client_secret", "a" * 256),
        ("client_secret", None),
        ("send_attempt", "1"),
        ("send_attempt", 1.5),
        ("send_attempt", None),
        ("country", 44),
        ("next_link", {}),
        ("changed_at", "canary"),
        ("changed_at", None),
    ],
)
def test_a_part_that_is_none(name: str, value: Any) -> None:
    """Everything is checked again: a file can be changed by others."""
    error = refusal(json.dumps(STORED | {name: value}))
    assert_no_secret(error.with_traceback(None), CANARIES)


DEEP = '{"a":' * 100_000
TEXTS = [
    "",
    "canary",
    "null",
    "[]",
    "{}",
    '"canary"',
    "\ud800canary",
    DEEP,
    '{"threepid":' + "[" * 100_000,
    MAIL.to_json() + MAIL.to_json(),
    MAIL.to_json()[:-1],
    MAIL.to_json().replace("1000.5", "1e999"),
    MAIL.to_json().replace("1000.5", "NaN"),
]


@pytest.mark.parametrize("text", TEXTS, ids=[text[:20] for text in TEXTS])
def test_a_text_that_is_something_else(text: str) -> None:
    """It is refused as a ValueError that repeats nothing, and on which nothing hangs."""
    error = refusal(text)

    assert (error.__cause__, error.__context__) == (None, None)
    assert_no_secret(error.with_traceback(None), CANARIES)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """What was written, with a piece cut out and something put in its place."""
    text = MAIL.to_json()
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 4)))
    piece = draw(st.text(st.characters(exclude_categories=()), max_size=3))
    return text[:start] + piece + text[end:]


@settings(max_examples=300)
@given(_mutated() | st.text(st.characters(exclude_categories=())))
@example("\ud800")
def test_any_text_is_a_validation_or_a_value_error(text: str) -> None:
    """Never another exception."""
    try:
        it = PendingValidation.from_json(text)
    except ValueError as error:
        assert type(error) is ValueError  # noqa: PT017 - what is accepted is no failure
        assert error.__context__ is None  # noqa: PT017
        assert "canary" not in str(error)  # noqa: PT017
    else:
        assert PendingValidation.from_json(it.to_json()) == it


@pytest.mark.parametrize("validation", [MAIL, PHONE])
def test_a_validation_shows_no_secret_and_no_address(validation: PendingValidation) -> None:
    """Printed in whatever way; where it is going on is for people to see."""
    shown = f"{validation} {validation!r} {[validation]}"

    assert not [each for each in CANARIES if each in shown]
    assert str(SERVER) in shown


@pytest.mark.parametrize("name", ["sid", "client_secret"])
@pytest.mark.parametrize("value", ["", "canary\n", "a" * 256, "canary é"])
def test_ids_and_secrets_have_a_grammar(name: str, value: str) -> None:
    """What would not be sent is not kept; the refusal names the part only."""
    parts: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"^{name} is not 1 to 255 characters") as caught:
        attrs.evolve(MAIL, **parts)
    assert_no_secret(caught.value.with_traceback(None), ["canary"])


def test_a_validation_ends_24_hours_after_its_last_change() -> None:
    """And no change made elsewhere is known."""
    assert LIFETIME == 24 * 60 * 60
    assert MAIL.expires_at == 1000.5 + 86_400
    before = time.time()
    new = PendingValidation(MAIL.threepid, SERVER, "s", SECRET, 1)
    assert before <= new.changed_at <= time.time()
    assert new.expires_at == new.changed_at + LIFETIME


def test_two_validations_are_the_same_by_what_they_are_of() -> None:
    """Not by when they were changed."""
    assert attrs.evolve(MAIL, changed_at=5.0) == MAIL
    assert {attrs.evolve(MAIL, changed_at=5.0), MAIL} == {MAIL}
    changes: list[dict[str, Any]] = [{"sid": "x"}, {"client_secret": "x"}, {"send_attempt": 2}]
    for change in changes:
        assert attrs.evolve(MAIL, **change) != MAIL
    assert attrs.evolve(MAIL, threepid=ThreePid("email", "a@b")) != MAIL
