from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from nio_identity_server.strict_json import NotJson, loads
from tests.vectors.json_bodies import ACCEPTED, REASONS, REFUSED

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 4299).map(lambda digits: 10**digits)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def _refusal(data: bytes) -> NotJson:
    with pytest.raises(NotJson) as caught:
        loads(data)
    return caught.value


def _read(data: bytes) -> Any:
    """What it is read as; None if it is refused as it should be."""
    try:
        return loads(data)
    except NotJson as error:
        refusal = error
    assert str(refusal) in REASONS
    assert refusal.__context__ is None
    return None


def test_the_table_is_as_long_as_promised() -> None:
    """The threat model asks for 33 bodies; none stands in the table twice."""
    bodies = [body for body, _ in (*ACCEPTED.values(), *REFUSED.values())]

    assert len(bodies) >= 33
    assert len(bodies) == len(set(bodies))


@pytest.mark.parametrize(("body", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(body: bytes, value: Any) -> None:
    """One JSON value in UTF-8 is read as what it says, type included."""
    actual = loads(body)

    assert (type(value), value) == (type(actual), actual)


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(body: bytes, reason: str) -> None:
    """Anything else is refused with the rule that it breaks, and hangs on no other exception."""
    error = _refusal(body)

    assert (reason, None, None) == (str(error), error.__cause__, error.__context__)


def test_every_reason_is_listed_and_reached() -> None:
    """The vectors reach every reason there is."""
    assert {reason for _, reason in REFUSED.values()} == REASONS


def test_the_sign_of_zero_is_kept() -> None:
    """A negative zero stays one."""
    assert math.copysign(1, loads(b"-0.0")) == -1


def test_a_body_of_a_megabyte_is_refused_quickly() -> None:
    """Nesting and digits without end take no noticeable time."""
    started = time.perf_counter()
    for piece in (b"[", b'{"a":', b"1", b"-", b'"\\ud800', b" "):
        _refusal(piece * (1024 * 1024 // len(piece)))

    assert time.perf_counter() - started < 2


@settings(max_examples=500, deadline=None)
@given(st.binary() | st.text().map(str.encode) | st.text('[]{}",:0123eE+-. \\u').map(str.encode))
@example(b"\xff\xfe")
def test_any_bytes(data: bytes) -> None:
    """Any bytes are a value that can be written as JSON again, or NotJson."""
    value = _read(data)

    assert value == json.loads(json.dumps(value, allow_nan=False))


@settings(max_examples=100, deadline=None)
@given(VALUES, st.data())
def test_a_damaged_body(value: Any, data: st.DataObject) -> None:
    """A body with one byte changed or cut is a value or NotJson too."""
    body = json.dumps(value).encode()
    place = data.draw(st.integers(0, len(body) - 1))
    _read(body[:place] + data.draw(st.binary(max_size=1)) + body[place + 1 :])


@settings(max_examples=200, deadline=None)
@given(VALUES, st.booleans())
def test_round_trip(value: Any, ascii_only: bool) -> None:
    """What Python writes as JSON is read as the same value."""
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)

    assert text == json.dumps(loads(text.encode()), ensure_ascii=ascii_only)
