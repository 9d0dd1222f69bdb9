from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, strategies as st

from nio_identity_server import batch as module
from nio_identity_server.batch import Batch, leave_out_duplicates, read_batch
from nio_identity_server.errors import InvalidAddress
from nio_identity_server.threepid import ThreePid, email, msisdn, parse_threepid

Values = Sequence[ThreePid | str]

GOOD_EMAILS = st.sampled_from(
    ["alice@example.org", "BOB@Example.org", "Strauß@x", "İ@ς", "ﬃ@Σ", "x" * 498 + "@y"]
)
JUNK = st.sampled_from(
    [
        "",
        " ",
        "@",
        "a@",
        "@b",
        "a@@b",
        "a b",
        "a@b c@d",
        "a@b ",
        " a@b",
        "a@b\n",
        "a\0@b",
        "a\x7f@b",
        "a\x85@b",
        "a\u2028@b",
        "\ud800@b",
        "a@\u00a0",
        "alice",
        "123",
        "x" * 499 + "@y",
        "ß" * 250 + "@y",
    ]
)
PHONES = st.sampled_from(["+44 20 7946 0000", " +1", "+" + "1" * 16, "+", "+a"])
THREEPIDS = st.sampled_from([email("carol@example.org"), msisdn("+49 30")])
ANYTHING = st.one_of(
    GOOD_EMAILS,
    JUNK,
    PHONES,
    THREEPIDS,
    st.text(st.characters(), max_size=8),
    st.builds("{}@{}".format, st.text(st.characters()), st.text(st.characters(), max_size=8)),
)


def one_by_one(values: Values) -> Batch:
    """What ``read_batch`` promises to be."""
    found: dict[str, list[bytes]] = {"email": [], "msisdn": []}
    invalid = []
    for position, value in enumerate(values):
        try:
            threepid = parse_threepid(value)
        except InvalidAddress:
            invalid.append(position)
        else:
            found[threepid.medium].append(threepid.address.encode())
    return Batch(found["email"], found["msisdn"], tuple(invalid))


def assert_same(one: Batch, other: Batch) -> None:
    """Compare what two batches hold."""
    assert list(one.emails) == list(other.emails)
    assert list(one.msisdns) == list(other.msisdns)
    assert one.invalid == other.invalid


@given(st.lists(ANYTHING, max_size=8))
@example([])
@example([""])
@example(["", ""])
@example(["a@b c@d"])
@example(["a@b c@d", "x"])
@example(["a@b", "c d", "@e"])  # as many blanks and @ as three good ones would have
@example(["a@b@c", "d"])
@example(["a", "b@c@d"])
@example(["@a", "b@"])
@example(["a@", "@b"])
@example(["a@b", "", "c@d"])
def test_many_at_once_are_judged_as_one_by_one(values: Values) -> None:
    """The same addresses in the same order, and the same positions of bad ones, for any mixture."""
    assert_same(read_batch(values), one_by_one(values))


@given(st.lists(GOOD_EMAILS, min_size=1, max_size=20), ANYTHING, st.integers(0, 20))
def test_one_bad_apple(values: list[ThreePid | str], apple: str, position: int) -> None:
    """A single thing of another kind among good email addresses is found at its place."""
    values.insert(min(position, len(values)), apple)
    assert_same(read_batch(values), one_by_one(values))


def test_good_emails_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual case never falls back to one by one, so it is fast."""
    monkeypatch.setattr(module, "parse_threepid", None)
    values = [f"First.Last{number}@Example.org" for number in range(5_000)] + ["Strauß@İ.org"]
    batch = read_batch(values)
    assert list(batch.emails) == [value.casefold().encode() for value in values]
    assert batch.msisdns == ()
    assert batch.invalid == ()
    assert len(batch) == 5_001


def test_what_is_no_text_has_its_position() -> None:
    """A value of another type is invalid, not an error."""
    batch = read_batch(["a@b", None, b"c@d", 5, "+1"])  # type: ignore[list-item]
    assert_same(batch, Batch([b"a@b"], [b"1"], (1, 2, 3)))


def test_the_addresses_of_each_medium() -> None:
    """Only media that there are."""
    assert Batch([]).by_medium() == ()
    assert Batch([b"a@b"]).by_medium() == (("email", [b"a@b"]),)
    assert Batch([], [b"1"]).by_medium() == (("msisdn", [b"1"]),)
    assert Batch([b"a@b"], [b"1"]).by_medium() == (("email", [b"a@b"]), ("msisdn", [b"1"]))


def test_a_batch_shows_no_address() -> None:
    """Its printed form holds none."""
    assert "canary" not in repr(Batch([b"canary@example.org"], [b"1"]))


@given(st.integers(0, 40), st.integers(0, 40))
def test_halves_lose_nothing_and_double_nothing(emails: int, msisdns: int) -> None:
    """Both together are the whole, in order, and neither is larger than half (rounded up)."""
    whole = Batch(
        [b"%d@x" % each for each in range(emails)], [b"%d" % each for each in range(msisdns)]
    )
    first, second = whole.halves()
    assert [*first.emails, *second.emails] == list(whole.emails)
    assert [*first.msisdns, *second.msisdns] == list(whole.msisdns)
    assert abs(len(first) - len(second)) <= 1
    assert max(len(first), len(second)) <= (len(whole) + 1) // 2


BOOKS = st.lists(
    st.builds(
        Batch,
        st.lists(st.sampled_from([b"a@b", b"c@d", b"e@f", b"g@h"]), max_size=4),
        st.lists(st.sampled_from([b"1", b"2", b"3"]), max_size=4),
    ),
    max_size=4,
)


@given(BOOKS)
@example([])
@example([Batch([b"a@b", b"c@d"]), Batch([b"e@f"], [b"1"])])
@example([Batch([b"a@b"]), Batch([b"a@b"])])
def test_each_address_is_left_once_where_it_came_first(batches: list[Batch]) -> None:
    """Over all batches; the others are named, each once, and no batch is empty because of it."""
    batches = [batch for batch in batches if len(batch)]
    distinct = leave_out_duplicates(batches)
    for medium in ("email", "msisdn"):
        given = [each for batch in batches for each in dict(batch.by_medium()).get(medium, ())]
        left = [
            each for batch in distinct.batches for each in dict(batch.by_medium()).get(medium, ())
        ]
        assert left == list(dict.fromkeys(given))
        assert {each.address for each in distinct.duplicates if each.medium == medium} == {
            each.decode() for each in given if given.count(each) > 1
        }
    assert len(set(distinct.duplicates)) == len(distinct.duplicates)
    assert all(map(len, distinct.batches))


def test_what_was_left_out_is_not_printed() -> None:
    """Neither are addresses of the batches."""
    distinct = leave_out_duplicates([Batch([b"canary@example.org", b"canary@example.org"])])
    assert distinct.duplicates
    assert "canary" not in repr(distinct)
