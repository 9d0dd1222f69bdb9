from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.base_url import parse_base_url
from nio_identity_server.preference.account_data import (
    Chosen,
    Disabled,
    Known,
    NotSet,
    Unconfirmed,
    Unusable,
)
from nio_identity_server.preference.choice import (
    IN_DOUBT,
    MOST_OWED,
    SETTLED,
    TRANSITIONS,
    Choice,
    Saying,
    Standing,
)
from nio_identity_server.preference.evidence import Witness

A = Chosen(parse_base_url("https://a.example"))
B = Chosen(parse_base_url("https://b.example"))
C = Disabled()
VALUES: list[Known] = [A, B, C, NotSet(), Unusable("it is empty")]
SNAPSHOT, CHANGE, LATE, READ, WRITE = Witness
NOTHING = Choice()


def _after(*told: tuple[Witness, Known], start: Choice = NOTHING) -> Choice:
    choice = start
    for witness, value in told:
        choice = choice.told(witness, value)
    return choice


PROVISIONAL = _after((SNAPSHOT, A))
CONFIRMED = _after((READ, A))
AHEAD = _after((WRITE, A))
DOUBTED = _after((READ, A), (SNAPSHOT, B))
DOUBTED_AHEAD = _after((WRITE, A), (CHANGE, B))
LOST = _after((READ, A)).lost()
EACH = [NOTHING, PROVISIONAL, CONFIRMED, AHEAD, DOUBTED, DOUBTED_AHEAD, LOST]
NAMES = [choice.standing.value for choice in EACH]


def _outcome(choice: Choice) -> tuple[Standing, Known | None]:
    return choice.standing, choice.known


def test_standings_are_called_by_their_names() -> None:
    """What the drawing in the manual shows for a standing is its name in plain words."""
    assert [standing.name.replace("_", " ").lower() for standing in Standing] == NAMES


def test_each_standing_has_an_example() -> None:
    """The examples of this file stand as they are called, and all but the first know A."""
    assert list(Standing) == [choice.standing for choice in EACH]
    assert [choice.known for choice in EACH] == [None, *[A] * 6]


def test_the_table_is_total() -> None:
    """Whatever is known, whoever speaks and whatever they say, the table has an answer."""
    cells = [
        TRANSITIONS[standing][witness][saying]
        for standing in Standing
        for witness in Witness
        for saying in Saying
    ]

    assert len(cells) == len(Standing) * len(Witness) * len(Saying)
    assert set(Standing) - {Standing.UNKNOWN} == set(cells)


def test_the_table_cannot_be_changed() -> None:
    """The table is read-only on every floor."""
    with pytest.raises(TypeError):
        TRANSITIONS[Standing.UNKNOWN] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        TRANSITIONS[Standing.UNKNOWN][READ][Saying.SAME] = Standing.AHEAD  # type: ignore[index]


def test_doubt_and_settled_do_not_meet() -> None:
    """No standing is both in doubt and settled; nothing known and provisional are neither."""
    assert frozenset() == IN_DOUBT & SETTLED
    assert {Standing.UNKNOWN, Standing.PROVISIONAL} == set(Standing) - IN_DOUBT - SETTLED


def test_at_first_nothing_is_known() -> None:
    """Before anything was seen, the preference is unconfirmed."""
    assert (Unconfirmed(), False) == (NOTHING.preference, NOTHING.is_settled)


def test_a_first_snapshot_is_provisional() -> None:
    """What an initial sync says first is shown, but calls wait until it was read again."""
    assert (PROVISIONAL.preference, PROVISIONAL.is_settled) == (A, False)


@pytest.mark.parametrize("witness", [CHANGE, LATE, READ])
def test_a_first_change_or_read_is_confirmed(witness: Witness) -> None:
    """What an incremental sync or a GET says first is known."""
    choice = NOTHING.told(witness, A)

    assert _outcome(choice) == (Standing.CONFIRMED, A)
    assert (choice.preference, choice.is_settled) == (A, True)


@pytest.mark.parametrize("start", EACH, ids=NAMES)
@pytest.mark.parametrize("value", [A, B, C], ids=["same", "doubt", "other"])
def test_a_write_is_what_we_know(start: Choice, value: Known) -> None:
    """After a write that was answered 200 its value is known, ahead of the stream."""
    choice = start.told(WRITE, value)

    assert Choice(Standing.AHEAD, known=value, owed=(*start.owed, value)) == choice
    assert (value, True) == (choice.preference, choice.is_settled)


def test_an_equal_snapshot_stays_provisional() -> None:
    """The same old response twice proves no more than once."""
    assert _outcome(PROVISIONAL.told(SNAPSHOT, A)) == (Standing.PROVISIONAL, A)


def test_two_snapshots_that_differ_are_both_not_believed() -> None:
    """Neither was confirmed, so nobody knows."""
    choice = PROVISIONAL.told(SNAPSHOT, B)

    assert _outcome(choice) == (Standing.DOUBTED, A)
    assert Unconfirmed() == choice.preference


@pytest.mark.parametrize("value", [A, B])
def test_changes_behind_a_provisional_snapshot_are_provisional(value: Known) -> None:
    """Synapse's cache replays history step by step, so its changes are read again too."""
    assert (Standing.PROVISIONAL, value) == _outcome(PROVISIONAL.told(CHANGE, value))


def test_reading_a_provisional_value_confirms_it() -> None:
    """The read of the first call ends the provisional time."""
    assert _outcome(PROVISIONAL.told(READ, A)) == (Standing.CONFIRMED, A)


@pytest.mark.parametrize("start", [PROVISIONAL, CONFIRMED], ids=["provisional", "confirmed"])
def test_a_read_that_contradicts_is_ahead_of_the_stream(start: Choice) -> None:
    """A read is never stale, so the stream has yet to show what it said."""
    assert _outcome(start.told(READ, B)) == (Standing.AHEAD, B)


@pytest.mark.parametrize("witness", Witness, ids=lambda witness: witness.value)
def test_the_same_again_keeps_what_is_confirmed(witness: Witness) -> None:
    """Who repeats what is confirmed changes nothing but, after a write, the standing."""
    expected = Standing.AHEAD if witness is WRITE else Standing.CONFIRMED

    assert (expected, A) == _outcome(CONFIRMED.told(witness, A))


def test_a_snapshot_can_only_raise_doubt_in_what_is_confirmed() -> None:
    """A different value in an initial, injected or replayed response is not adopted."""
    assert Choice(Standing.DOUBTED, known=A, doubt=B) == CONFIRMED.told(SNAPSHOT, B)


@pytest.mark.parametrize("value", VALUES[1:], ids=repr)
def test_a_change_is_adopted(value: Known) -> None:
    """A different value in an incremental sync is the user's new choice."""
    assert Choice(Standing.CONFIRMED, known=value) == CONFIRMED.told(CHANGE, value)


def test_our_own_echo_confirms() -> None:
    """After a write, the stream that shows our value has caught up and owes nothing."""
    assert Choice(Standing.CONFIRMED, known=A) == AHEAD.told(CHANGE, A)


def test_ahead_of_the_stream_another_value_raises_doubt() -> None:
    """Before our own value has come back, a different one may be stale or newer."""
    choice = AHEAD.told(CHANGE, B)

    assert Choice(Standing.DOUBTED_AHEAD, known=A, doubt=B, owed=(A,)) == choice
    assert Unconfirmed() == choice.preference


def test_a_snapshot_is_no_echo() -> None:
    """Our value in an initial sync does not prove that the stream has caught up."""
    assert AHEAD.told(SNAPSHOT, A) == AHEAD


def test_a_snapshot_raises_doubt_ahead_of_the_stream() -> None:
    """A different value in an initial sync after a write raises doubt too."""
    assert _outcome(AHEAD.told(SNAPSHOT, B)) == (Standing.DOUBTED_AHEAD, A)


@pytest.mark.parametrize("value", [A, B])
def test_a_read_does_not_move_the_stream(value: Known) -> None:
    """After a read we are still ahead of the stream, whatever it said."""
    assert (Standing.AHEAD, value) == _outcome(AHEAD.told(READ, value))


@pytest.mark.parametrize("start", [DOUBTED, DOUBTED_AHEAD], ids=["doubted", "doubted ahead"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_read_ends_every_doubt(start: Choice, value: Known) -> None:
    """Whatever was doubted, after a read its value is known and calls may go out."""
    choice = start.told(READ, value)

    assert (value, None, True) == (choice.known, choice.doubt, choice.is_settled)


@pytest.mark.parametrize(
    ("start", "value", "standing"),
    [
        (DOUBTED, A, Standing.CONFIRMED),
        (DOUBTED, B, Standing.CONFIRMED),
        (DOUBTED, C, Standing.AHEAD),
        (DOUBTED_AHEAD, A, Standing.AHEAD),
        (DOUBTED_AHEAD, B, Standing.CONFIRMED),
        (DOUBTED_AHEAD, C, Standing.AHEAD),
    ],
)
def test_where_a_read_leaves_a_doubt(start: Choice, value: Known, standing: Standing) -> None:
    """We are ahead of the stream unless it has already shown the value that was read."""
    assert standing is start.told(READ, value).standing


def test_a_doubt_keeps_what_was_known() -> None:
    """The same value afterwards continues the same operations, so it is kept during a doubt."""
    assert [DOUBTED.known, DOUBTED_AHEAD.known] == [A, A]
    assert [DOUBTED.doubt, DOUBTED_AHEAD.doubt] == [B, B]


@pytest.mark.parametrize("start", [DOUBTED, DOUBTED_AHEAD], ids=["doubted", "doubted ahead"])
@pytest.mark.parametrize("value", [A, B, C], ids=["same", "doubt", "other"])
def test_a_snapshot_ends_no_doubt(start: Choice, value: Known) -> None:
    """One old response does not settle what another one unsettled, even if it agrees."""
    assert _outcome(start) == _outcome(start.told(SNAPSHOT, value))


@pytest.mark.parametrize("value", [A, B, C], ids=["same", "doubt", "other"])
def test_a_change_in_doubt_is_provisional(value: Known) -> None:
    """A change behind a snapshot that contradicted may be old, so it is read again."""
    assert Choice(Standing.PROVISIONAL, known=value) == DOUBTED.told(CHANGE, value)


def test_the_echo_ends_a_doubt_ahead_of_the_stream() -> None:
    """What came before our own echo was stale."""
    assert Choice(Standing.CONFIRMED, known=A) == DOUBTED_AHEAD.told(CHANGE, A)


@pytest.mark.parametrize("value", [B, C], ids=["doubt", "other"])
def test_other_changes_end_no_doubt_ahead_of_the_stream(value: Known) -> None:
    """Until our own value has come back, the last other value is the doubt."""
    expected = attrs.evolve(DOUBTED_AHEAD, doubt=value)

    assert expected == DOUBTED_AHEAD.told(CHANGE, value)


def test_two_writes_in_a_row() -> None:
    """The echo of the first raises doubt, the echo of the second ends it."""
    choice = _after((WRITE, A), (WRITE, B), (CHANGE, A))

    assert _outcome(choice) == (Standing.DOUBTED_AHEAD, B)
    assert Choice(Standing.CONFIRMED, known=B) == choice.told(CHANGE, B)


def test_a_late_echo_is_not_adopted() -> None:
    """Our older value, shown after a newer one was confirmed, only raises doubt."""
    choice = _after((WRITE, A), (READ, B), (CHANGE, B))

    assert Choice(Standing.CONFIRMED, known=B, owed=(A,)) == choice
    assert Choice(Standing.DOUBTED, known=B, doubt=A) == choice.told(CHANGE, A)


def test_a_late_echo_ahead_of_the_stream_is_not_adopted() -> None:
    """The same while the stream has not yet shown what was read."""
    choice = _after((WRITE, A), (READ, B), (CHANGE, A))

    assert Choice(Standing.DOUBTED_AHEAD, known=B, doubt=A) == choice


def test_the_echo_of_an_older_write_of_the_same_value_confirms_nothing() -> None:
    """After A, B and A again, the first A in the stream may be the first write's."""
    choice = _after((WRITE, A), (WRITE, B), (WRITE, A), (CHANGE, A))

    assert Choice(Standing.AHEAD, known=A, owed=(B, A)) == choice
    assert _outcome(choice.told(CHANGE, B)) == (Standing.DOUBTED_AHEAD, A)
    assert Choice(Standing.CONFIRMED, known=A) == choice.told(CHANGE, B).told(CHANGE, A)


def test_a_client_that_never_syncs_is_not_owed_without_end() -> None:
    """Only the last echoes are waited for."""
    choice = _after(*[(WRITE, A)] * 1000)

    assert len(choice.owed) == MOST_OWED


def test_a_late_echo_is_owed_once() -> None:
    """The second time our older value is a choice like any other: the user chose it again."""
    choice = _after((WRITE, A), (READ, B), (CHANGE, B), (CHANGE, A), (READ, B), (CHANGE, A))

    assert _outcome(choice) == (Standing.CONFIRMED, A)


@pytest.mark.parametrize("witness", [SNAPSHOT, READ], ids=lambda witness: witness.value)
def test_only_the_stream_pays_what_it_owes(witness: Witness) -> None:
    """A snapshot or read that shows our value leaves the echo owed."""
    assert AHEAD.told(witness, A).owed == (A,)


@pytest.mark.parametrize("start", EACH, ids=NAMES)
def test_a_lost_write_raises_doubt(start: Choice) -> None:
    """A write whose end is unknown may have been stored: what was known is kept, in doubt."""
    choice = start.lost()

    assert Choice(Standing.LOST, known=start.known, owed=start.owed) == choice
    assert Unconfirmed() == choice.preference


@pytest.mark.parametrize("witness", [SNAPSHOT, CHANGE, LATE], ids=lambda witness: witness.value)
@pytest.mark.parametrize("value", [A, B])
def test_no_sync_ends_the_doubt_of_a_lost_write(witness: Witness, value: Known) -> None:
    """The stream may show what was there before, or the echo of an older write."""
    assert _outcome(LOST.told(witness, value)) == (Standing.LOST, A)


@pytest.mark.parametrize("value", [A, B])
def test_a_read_after_a_lost_write_is_ahead_of_the_stream(value: Known) -> None:
    """What was written may still be shown, or even be stored, later."""
    assert (Standing.AHEAD, value) == _outcome(LOST.told(READ, value))


@pytest.mark.parametrize("start", [NOTHING, PROVISIONAL, AHEAD, DOUBTED_AHEAD])
@pytest.mark.parametrize("value", [A, B])
def test_a_late_change_is_a_change_where_nothing_newer_was_read(
    start: Choice, value: Known
) -> None:
    """It was under way when a read was answered, which matters where that is what we know."""
    assert start.told(CHANGE, value) == start.told(LATE, value)


def test_a_late_change_is_not_adopted() -> None:
    """What was read may be newer than what a sync says that was under way meanwhile."""
    assert Choice(Standing.DOUBTED, known=A, doubt=B) == CONFIRMED.told(LATE, B)
    assert CONFIRMED.told(LATE, A) == CONFIRMED
    assert _outcome(DOUBTED.told(LATE, C)) == (Standing.DOUBTED, A)


@pytest.mark.parametrize("start", [CONFIRMED, AHEAD], ids=["confirmed", "ahead"])
def test_knowledge_expires(start: Choice) -> None:
    """When no sync was watched for too long, the value is shown but read again."""
    choice = start.expired()

    assert attrs.evolve(start, standing=Standing.PROVISIONAL) == choice
    assert (choice.preference, choice.is_settled) == (A, False)


@pytest.mark.parametrize("start", [NOTHING, PROVISIONAL, DOUBTED, DOUBTED_AHEAD, LOST])
def test_what_is_not_settled_does_not_expire(start: Choice) -> None:
    """What has to be read again anyway stays as it is."""
    assert start == start.expired()


def test_a_provisional_value_that_cannot_be_read_stands() -> None:
    """If the read of the first call fails, the word of the sync stands."""
    assert Choice(Standing.CONFIRMED, known=A) == PROVISIONAL.unread()


@pytest.mark.parametrize("start", [NOTHING, CONFIRMED, AHEAD, DOUBTED, DOUBTED_AHEAD, LOST])
def test_a_doubt_is_not_ended_by_a_failed_read(start: Choice) -> None:
    """A failed read of anything that is not provisional changes nothing."""
    assert start == start.unread()


TOLD = st.tuples(st.sampled_from(list(Witness)), st.sampled_from(VALUES))
STEPS = st.lists(TOLD | st.sampled_from(["lost", "expired", "unread"]), max_size=12)


@settings(max_examples=500, deadline=None)
@given(STEPS)
def test_whatever_happens(steps: list[tuple[Witness, Known] | str]) -> None:
    """The laws of the choice hold after every step of every history."""
    choice = NOTHING
    said: set[Known] = set()
    for step in steps:
        before = choice
        if isinstance(step, str):
            choice = getattr(choice, step)()
            assert before.known == choice.known
        else:
            witness, value = step
            choice = choice.told(witness, value)
            said.add(value)
            if witness is SNAPSHOT and before.is_settled:
                assert before.known == choice.known
                assert choice.is_settled is (value == before.known)
            if witness in {READ, WRITE}:
                assert (value, True) == (choice.known, choice.is_settled)
            assert choice.known in {value, before.known}
        is_unconfirmed = choice.known is None or choice.standing in IN_DOUBT
        assert is_unconfirmed is (choice.preference == Unconfirmed())
        assert choice.known is not None or choice.standing in {Standing.UNKNOWN, Standing.LOST}
        assert choice.known is None or choice.known in said
        assert choice.doubt is None or choice.standing in IN_DOUBT
