from __future__ import annotations

import sys

import phonenumbers
import pytest
from hypothesis import given, strategies as st

from nio_identity_server.phone import country_of
from nio_identity_server.threepid import ThreePid, msisdn


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+44 20 7946 0000", "GB"),
        ("+44 1481 256789", "GG"),  # the same prefix, another country
        ("+1 212 555 0123", "US"),
        ("+1 613 555 0123", "CA"),
        ("+1 268 460 1234", "AG"),
        ("+33 1 23 45 67 89", "FR"),
        ("+49 170 1234567", "DE"),
        ("+39 06 1234 5678", "IT"),
        ("+7 701 123 4567", "KZ"),
        ("+7 495 123 4567", "RU"),
    ],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    """It is that of the number, which may be another than that of its prefix."""
    assert country_of(msisdn(number)) == country


@pytest.mark.parametrize(
    "number",
    [
        "+800 1234 5678",  # free of charge in many countries
        "+881 6 12345678",  # satellites
        "+999 999",
        "+1",
        "+0",
        "+0044 20 7946 0000",
        "+44",
        "+1 000 000 0000",
    ],
)
def test_a_number_of_no_country(number: str) -> None:
    """Nothing is made up for it: neither a word like 001 nor the country of a prefix."""
    assert country_of(msisdn(number)) is None


def test_without_the_extra_no_country_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised: the caller has to name it then."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    assert country_of(msisdn("+442079460000")) is None


def test_a_library_that_answers_something_else_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The country is sent to a server: two letters or nothing."""
    for answer in (None, "001", 44):
        monkeypatch.setattr(phonenumbers, "region_code_for_number", lambda _, answer=answer: answer)
        assert country_of(msisdn("+442079460000")) is None


@given(st.from_regex(r"[0-9]{1,15}", fullmatch=True))
def test_any_number_has_two_capital_letters_or_none(digits: str) -> None:
    """Never an exception."""
    country = country_of(ThreePid("msisdn", digits))
    assert country is None or (len(country) == 2 and country.isascii() and country.isupper())
