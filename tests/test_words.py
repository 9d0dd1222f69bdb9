"""What others say, made fit to be shown and compared."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nio_identity_server.words import LONGEST, errcode, message, printable

ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@given(st.text())
def test_a_text_is_on_one_line_and_as_long_as_it_was(text: str) -> None:
    """Whatever does not print is a question mark."""
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) == len(text)
    assert [a for a, b in zip(shown, text, strict=True) if a != b] == ["?"] * sum(
        not char.isprintable() for char in text
    )


@given(ANYTHING)
def test_a_message_is_a_short_text_whatever_was_said(value: object) -> None:
    """Empty for what is no text."""
    told = message(value)
    assert told.isprintable()
    assert len(told) <= LONGEST
    assert bool(told) is (isinstance(value, str) and value != "")


@given(ANYTHING)
def test_a_code_is_one_whatever_was_said(value: object) -> None:
    """Or the one that says that there is none."""
    assert errcode(value) in (value, "M_UNKNOWN")


@pytest.mark.parametrize("code", ["M_FORBIDDEN", "ORG.EXAMPLE.X_1", "M" * 64])
def test_codes(code: str) -> None:
    """Capitals, digits, dots and underscores, at most 64."""
    assert errcode(code) == code


@pytest.mark.parametrize("text", ["", "m_forbidden", "M_X\n", "M X", "M" * 65, None, 5])
def test_no_codes(text: object) -> None:
    """Anything else, a line break at the end included."""
    assert errcode(text) == "M_UNKNOWN"
