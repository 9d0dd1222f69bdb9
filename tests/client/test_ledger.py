"""What was bound where, as far as this client has done it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nio_identity_server.client.ledger import Ledger
from nio_identity_server.threepid import ThreePid, email, msisdn

ALICE, BOB = "@alice:example.org", "@bob:example.org"
A, B = "https://a.example", "https://b.example"
MAIL, OTHER, PHONE = email("canary@example.org"), email("other@example.org"), msisdn("+4420")


@pytest.fixture(name="ledger")
def _ledger() -> Ledger:
    """Alice has bound two addresses at A and one of them at B; Bob has bound the first at A."""
    ledger = Ledger()
    for user_id, server, threepid in [
        (ALICE, A, MAIL),
        (ALICE, A, PHONE),
        (ALICE, B, MAIL),
        (BOB, A, MAIL),
    ]:
        ledger.note_bound(user_id, server, threepid)
    return ledger


def all_of(ledger: Ledger) -> tuple[tuple[ThreePid, ...], ...]:
    """What Alice has at A and at B, and Bob at A."""
    return ledger.bound(ALICE, A), ledger.bound(ALICE, B), ledger.bound(BOB, A)


def test_what_was_bound_is_told_for_each_user_and_server(ledger: Ledger) -> None:
    """In the order in which it was bound."""
    assert all_of(ledger) == ((MAIL, PHONE), (MAIL,), (MAIL,))


def test_nothing_is_known_of_anybody_else(ledger: Ledger) -> None:
    """Asking does not change anything either."""
    assert ledger.bound(BOB, B) == ()
    assert ledger.bound("@carol:example.org", A) == ()
    assert Ledger().bound(ALICE, A) == ()
    assert all_of(ledger) == ((MAIL, PHONE), (MAIL,), (MAIL,))


def test_what_is_bound_twice_is_told_once(ledger: Ledger) -> None:
    """In its first place."""
    ledger.note_bound(ALICE, A, email("Canary@Example.org"))
    assert ledger.bound(ALICE, A) == (MAIL, PHONE)


def test_what_was_unbound_at_a_server_stays_bound_at_others(ledger: Ledger) -> None:
    """And by other users, and so does what else is bound there."""
    ledger.note_unbound(ALICE, A, MAIL)
    assert all_of(ledger) == ((PHONE,), (MAIL,), (MAIL,))


def test_what_was_unbound_everywhere_is_bound_nowhere(ledger: Ledger) -> None:
    """For this user; another one is not concerned."""
    ledger.note_unbound(ALICE, None, MAIL)
    assert all_of(ledger) == ((PHONE,), (), (MAIL,))


@pytest.mark.parametrize("server", [None, A, B, "https://c.example"])
def test_what_was_never_bound_may_be_unbound(ledger: Ledger, server: str | None) -> None:
    """It may have been bound by another client."""
    ledger.note_unbound(ALICE, server, OTHER)
    ledger.note_unbound("@carol:example.org", server, MAIL)
    assert all_of(ledger) == ((MAIL, PHONE), (MAIL,), (MAIL,))


def test_what_is_bound_again_is_told_again(ledger: Ledger) -> None:
    """Behind what was bound meanwhile."""
    ledger.note_unbound(ALICE, A, MAIL)
    ledger.note_bound(ALICE, A, MAIL)
    assert ledger.bound(ALICE, A) == (PHONE, MAIL)


def test_a_ledger_shows_nobody(ledger: Ledger) -> None:
    """Neither addresses nor whose they are."""
    assert repr(ledger) == "Ledger()"


ENTRIES = st.tuples(
    st.booleans(),
    st.sampled_from([ALICE, BOB]),
    st.sampled_from([A, B, None]),
    st.sampled_from([MAIL, OTHER, PHONE]),
)


@given(st.lists(ENTRIES, max_size=20))
def test_a_ledger_says_what_a_set_of_triples_says(
    entries: list[tuple[bool, str, str | None, ThreePid]],
) -> None:
    """Whatever is noted in whatever order."""
    ledger, expected = Ledger(), set[tuple[str, str, ThreePid]]()
    for is_bound, user_id, server, threepid in entries:
        if not is_bound:
            ledger.note_unbound(user_id, server, threepid)
            expected -= {(user_id, each, threepid) for each in (A, B) if server in {None, each}}
        elif server is not None:
            ledger.note_bound(user_id, server, threepid)
            expected.add((user_id, server, threepid))
    told = [
        (user_id, server, threepid)
        for user_id in (ALICE, BOB)
        for server in (A, B)
        for threepid in ledger.bound(user_id, server)
    ]
    assert len(told) == len(set(told))
    assert set(told) == expected
