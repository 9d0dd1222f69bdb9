"""Telephone numbers, as far as a test types them."""

from __future__ import annotations

import re
from typing import Any

from nio_identity_server.testing.replies import Refusal

# Sydent knows the whole world; these are enough for numbers that are made up.
_CALLING_CODES = {
    "AT": "43",
    "AU": "61",
    "CA": "1",
    "CH": "41",
    "DE": "49",
    "ES": "34",
    "FI": "358",
    "FR": "33",
    "GB": "44",
    "IT": "39",
    "NL": "31",
    "PL": "48",
    "SE": "46",
    "US": "1",
}
_NUMBER = re.compile(r"\+?[0-9(][0-9 ()./-]*")
_LENGTHS = range(3, 18)


def international(number: Any, country: Any) -> str:
    """Give a number in international form, without a plus.

    Args:
        number: As it was typed; with a plus in front, the country does not matter.
        country: Two letters.

    Raises:
        Refusal: 400 `M_INVALID_PHONE_NUMBER`: it is none, or the country is not known.
    """
    if isinstance(number, str) and _NUMBER.fullmatch(number.strip()):
        digits = re.sub(r"[^0-9]", "", number)
        code = "" if number.strip().startswith("+") else _CALLING_CODES.get(str(country))
        # The zero in front of a national number is only dialled inside the country.
        full = None if code is None else f"{code}{digits.lstrip('0') if code else digits}"
        if full is not None and len(full) in _LENGTHS:
            return full
    raise Refusal(400, "M_INVALID_PHONE_NUMBER", "Invalid phone number")
