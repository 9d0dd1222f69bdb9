from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server.preference.account_data import EVENT_TYPE
from nio_identity_server.preference.evidence import (
    ABSENT,
    Sighting,
    SyncRequest,
    Witness,
    judge,
    may_hide,
)
from tests.vectors.filters import HIDING, SHOWING

CONTENT = {"base_url": "https://id.example.org"}
ABSENCE = Sighting(ABSENT, Witness.SNAPSHOT)
SNAPSHOT = Sighting(CONTENT, Witness.SNAPSHOT)
CHANGE = Sighting(CONTENT, Witness.CHANGE)

# The query, and what its answer proves if it holds the event, and if it does not.
REQUESTS: dict[str, tuple[dict[str, str], Sighting, Sighting | None]] = {
    "initial": ({}, SNAPSHOT, ABSENCE),
    "initial with other parameters": (
        {"timeout": "0", "set_presence": "offline"},
        SNAPSHOT,
        ABSENCE,
    ),
    "initial, full_state": ({"full_state": "true"}, SNAPSHOT, ABSENCE),
    "initial, full_state=false": ({"full_state": "false"}, SNAPSHOT, ABSENCE),
    "initial, filter that shows": ({"filter": "{}"}, SNAPSHOT, ABSENCE),
    "initial, filter that hides": ({"filter": '{"account_data":{"types":[]}}'}, SNAPSHOT, None),
    "initial, filter id": ({"filter": "5"}, SNAPSHOT, None),
    "incremental": ({"since": "s1"}, CHANGE, None),
    "incremental, empty token": ({"since": ""}, CHANGE, None),
    "incremental, full_state=false": ({"since": "s1", "full_state": "false"}, CHANGE, None),
    "incremental, filter that hides": ({"since": "s1", "filter": "5"}, CHANGE, None),
    # All account data on Synapse, only what has changed on Dendrite and Tuwunel.
    "incremental, full_state": ({"since": "s1", "full_state": "true"}, SNAPSHOT, None),
    "incremental, full_state=True": ({"since": "s1", "full_state": "True"}, SNAPSHOT, None),
}

SLIDING: dict[str, tuple[dict[str, str], Sighting]] = {
    "first": ({}, SNAPSHOT),
    "continued": ({"pos": "5"}, CHANGE),
    "first, with a timeout": ({"timeout": "30000"}, SNAPSHOT),
}


@pytest.mark.parametrize(("query", "seen", "_"), REQUESTS.values(), ids=REQUESTS)
def test_presence(query: dict[str, str], seen: Sighting, _: object) -> None:
    """The event is evidence in every response, whatever was asked."""
    assert seen == judge([CONTENT], SyncRequest.from_query(urlencode(query)))


@pytest.mark.parametrize(("query", "_", "absent"), REQUESTS.values(), ids=REQUESTS)
def test_absence(query: dict[str, str], _: object, absent: Sighting | None) -> None:
    """Its absence is evidence only where the response would hold it."""
    assert absent == judge([], SyncRequest.from_query(urlencode(query)))


@pytest.mark.parametrize(("query", "seen"), SLIDING.values(), ids=SLIDING)
def test_sliding_sync(query: dict[str, str], seen: Sighting) -> None:
    """Sliding sync may leave account data out, so it proves presence only."""
    request = attrs.evolve(SyncRequest.from_query(urlencode(query)), whole=False)

    assert [seen, None] == [judge([CONTENT], request), judge([], request)]
    assert not request.shows_changes


def test_a_response_to_an_unknown_request() -> None:
    """An injected or replayed response may be old, and its silence proves nothing."""
    assert [judge([CONTENT], None), judge([], None)] == [SNAPSHOT, None]


def test_the_last_of_several_events() -> None:
    """Of several events in one response the last one counts."""
    contents = [{"base_url": None}, {}, CONTENT]

    assert judge(iter(contents), SyncRequest(since=False)) == SNAPSHOT


@pytest.mark.parametrize("content", [None, [], {}, "", 0, False])
def test_an_empty_content_is_a_content(content: Any) -> None:
    """An event that says nothing is not the absence of one."""
    assert Sighting(content, Witness.CHANGE) == judge([content], SyncRequest(since=True))


def test_absence_is_no_content() -> None:
    """Nothing that a server sends can be taken for absence."""
    assert Sighting(None, Witness.SNAPSHOT) != ABSENCE
    assert Sighting({}, Witness.SNAPSHOT) != ABSENCE


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (SyncRequest(since=False), True),
        (SyncRequest(since=True), True),
        (SyncRequest(since=True, full_state=True), True),
        (SyncRequest(since=True, filter="{}"), True),
        (SyncRequest(since=True, filter="5"), False),
        (SyncRequest(since=True, whole=False), False),
    ],
)
def test_shows_changes(request_: SyncRequest, *, expected: bool) -> None:
    """A change would be visible in any answer that is whole and that no filter thins out."""
    assert expected is request_.shows_changes


def test_reading_the_query() -> None:
    """What decides is read from the query as it was sent."""
    query = {"since": "s1", "full_state": "true", "filter": "5", "timeout": "0"}

    assert SyncRequest(since=True, full_state=True, filter="5") == SyncRequest.from_query(
        urlencode(query)
    )


@pytest.mark.parametrize("sync_filter", SHOWING.values(), ids=SHOWING)
def test_filters_that_show(sync_filter: str | None) -> None:
    """A filter that is understood and leaves the event in hides nothing."""
    assert not may_hide(sync_filter)


@pytest.mark.parametrize("sync_filter", HIDING.values(), ids=HIDING)
def test_filters_that_may_hide(sync_filter: str) -> None:
    """Any other filter could have hidden the event."""
    assert may_hide(sync_filter)


def test_a_filter_of_stars_takes_no_time() -> None:
    """However many stars a pattern has, judging it does not hold up the event loop."""
    started = time.perf_counter()

    assert not may_hide(json.dumps({"account_data": {"not_types": ["*" * 14 + "x"]}}))
    assert time.perf_counter() - started < 0.2


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_filter(sync_filter: str) -> None:
    """Any text at all is judged, and what is no JSON object could hide anything."""
    verdict = may_hide(sync_filter)
    if not sync_filter.strip().startswith("{"):
        assert verdict


PATTERNS = st.lists(st.sampled_from(["*", "m.*", EVENT_TYPE, "m.direct", "org.*", "", "m.i*r"]))


@settings(max_examples=200, deadline=None)
@given(PATTERNS, PATTERNS)
def test_filters_that_show_do_show(types: list[str], not_types: list[str]) -> None:
    """Checked against a plain reading: a filter that "shows" lets the event in and leaves it in."""
    part = {"types": types, "not_types": not_types}
    lets_in = any(
        EVENT_TYPE.startswith(p[:-1]) if p[-1:] == "*" else p == EVENT_TYPE for p in types
    )
    takes_out = bool({"*", "m.*", EVENT_TYPE, "m.i*r"}.intersection(not_types))

    assert (lets_in and not takes_out) is not may_hide(json.dumps({"account_data": part}))


def test_witnesses_are_called_by_their_names() -> None:
    """What a log shows for a witness is the word that the manual uses."""
    assert [witness.value for witness in Witness] == [
        "snapshot",
        "change",
        "late change",
        "read",
        "write",
    ]
