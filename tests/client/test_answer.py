from __future__ import annotations

import json
from typing import Any

import pytest

from nio_identity_server.client.answer import Answer

SECRET = "canary-of-an-answer"


def refusal(**content: Any) -> Answer:
    """A refusal with this JSON body."""
    return Answer(400, json.dumps(content).encode())


class TestErrcode:
    @pytest.mark.parametrize("errcode", ["M_FORBIDDEN", "M_X", "ORG.EXAMPLE_1", "A" * 64])
    def test_good(self, errcode: str) -> None:
        """An error code is told as it is, without an ``error`` text too."""
        assert refusal(errcode=errcode).errcode == errcode

    @pytest.mark.parametrize(
        "errcode",
        [None, True, 5, 1.5, [], ["M_X"], {"a": "M_X"}, "", "m_x", "M X", "M_X\n", "A" * 65, "M_Ä"],
    )
    def test_bad(self, errcode: object) -> None:
        """T32: anything else is unknown."""
        assert refusal(errcode=errcode).errcode == "M_UNKNOWN"

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", b"[]", b'"M_X"', b"null", b'{"errcode": "M_X"', b'{"errcode": "M_\xff"}'],
    )
    def test_no_object(self, body: bytes) -> None:
        """So is what stands in no JSON object."""
        answer = Answer(500, body)

        assert answer.errcode == "M_UNKNOWN"
        assert answer.message == ""
        assert answer.retry_after is None


class TestMessage:
    def test_good(self) -> None:
        """The server's words are told, in any language."""
        assert refusal(error="Nein, übermorgen").message == "Nein, übermorgen"

    @pytest.mark.parametrize("error", [None, 5, True, [], {}, ["x"]])
    def test_no_text(self, error: object) -> None:
        """What is no text says nothing."""
        assert refusal(error=error).message == ""

    def test_long(self) -> None:
        """T32: 500 characters are enough."""
        assert refusal(error="x" * 60_000).message == "x" * 500

    @pytest.mark.parametrize(
        "char", ["\n", "\r", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e"]
    )
    def test_control_characters(self, char: str) -> None:
        """T32: nothing that moves the cursor, ends a line or turns text around."""
        assert refusal(error=f"a{char}b").message == "a?b"


class TestRetryAfter:
    """T33."""

    @pytest.mark.parametrize(
        ("content", "seconds"),
        [
            ("1500", 1.5),
            ("0", 0.0),
            ("0.5", 0.0005),
            ("1e12", 1e9),
            ("-1", None),
            ("-0.001", None),
            ("true", None),
            ("null", None),
            ('"1500"', None),
            ("[1500]", None),
            ("{}", None),
            ("NaN", None),
            ("Infinity", None),
            ("1e400", None),
        ],
    )
    def test_in_the_body(self, content: str, seconds: float | None) -> None:
        """Milliseconds, if they are a number that is not negative."""
        answer = Answer(429, f'{{"retry_after_ms": {content}}}'.encode())

        assert answer.retry_after == seconds

    def test_a_number_beyond_all_bounds(self) -> None:
        """A huge integer does not overflow: it is nonsense."""
        answer = Answer(429, b'{"retry_after_ms": 1' + b"0" * 400 + b"}")

        assert answer.retry_after is None

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("7", 7.0),
            ("0", 0.0),
            ("007", 7.0),
            ("999999999", 999_999_999.0),
            ("1000000000", None),
            ("9" * 5000, None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1 ", None),
            ("", None),
            ("nan", None),
            ("inf", None),
            ("\u0661", None),  # an Arabic 1
            ("²", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ],
    )
    def test_in_the_header(self, header: str, seconds: float | None) -> None:
        """Whole seconds; a date or nonsense is no hint."""
        assert Answer(429, b"{}", retry_after_header=header).retry_after == seconds

    def test_in_both(self) -> None:
        """The header comes first."""
        answer = Answer(429, b'{"retry_after_ms": 1500}', retry_after_header="7")

        assert answer.retry_after == 7.0

    @pytest.mark.parametrize("header", ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
    def test_a_useless_header(self, header: str) -> None:
        """What cannot be used does not hide the body's."""
        answer = Answer(429, b'{"retry_after_ms": 1500}', retry_after_header=header)

        assert answer.retry_after == 1.5


def test_what_is_printed() -> None:
    """T12: neither a body nor where it redirects to is printed: both hold secrets."""
    answer = Answer(200, SECRET.encode(), location=f"https://x.org/{SECRET}")

    assert SECRET not in repr(answer)
