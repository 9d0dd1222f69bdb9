"""Third-party identifiers (3PIDs): email addresses and phone numbers, in canonical form.

https://spec.matrix.org/v1.16/appendices/#3pid-types
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import attrs

from nio_identity_server.errors import InvalidAddress

Medium = Literal["email", "msisdn"]

NO_ADDRESS = "neither an email address nor a phone number with + in front"

LONGEST_EMAIL = 500
"""Characters of an email address that identity servers store (Sydent)."""

# E.164: at most 15 digits; without the + in front, as the appendix wants.
_DIGITS = re.compile(r"[0-9]{1,15}")
_DECORATION = str.maketrans("", "", " -.()/")


@attrs.frozen(repr=False)
class ThreePid:
    """One address of a person, in the form in which it is hashed, bound and compared.

    Made by :func:`email` or :func:`msisdn`, or of plain text by whatever takes an address.

    Attributes:
        medium: ``email`` or ``msisdn``.
        address: A case-folded email address, or the digits of a phone number.
    """

    medium: Medium
    address: str

    def __attrs_post_init__(self) -> None:
        good = _is_email(self.address) if self.medium == "email" else _is_msisdn(self.address)
        if self.medium not in {"email", "msisdn"} or not good:
            raise InvalidAddress(f"no {self.medium} in canonical form")

    def __repr__(self) -> str:
        return f"<ThreePid {self.medium}>"  # an address is somebody's, and is never printed


def email(text: str) -> ThreePid:
    """Make the 3PID of an email address.

    The whole address is case-folded: ``Strauß@Example.com`` is ``strauss@example.com``.

    Raises:
        InvalidAddress: If it is no bare address; the text is not repeated.
    """
    address = text.casefold()
    if not _is_email(address):
        raise InvalidAddress("not an email address")
    return ThreePid("email", address)


def msisdn(text: str) -> ThreePid:
    """Make the 3PID of a phone number in international form, like ``+44 20 7946 0000``.

    Raises:
        InvalidAddress: If it is none; the text is not repeated.
    """
    digits = text.strip().removeprefix("+").translate(_DECORATION)
    if not _is_msisdn(digits):
        raise InvalidAddress("not a phone number in international form")
    return ThreePid("msisdn", digits)


def parse_threepid(value: ThreePid | str) -> ThreePid:
    """Make a 3PID of a text: an ``@`` makes it an email address, a ``+`` in front a phone number.

    Raises:
        InvalidAddress: If it is neither.
    """
    if isinstance(value, ThreePid):
        return value
    if not isinstance(value, str):
        raise InvalidAddress(f"an address is a string or a ThreePid, not {type(value).__name__}")
    if "@" in value:
        return email(value)
    if value.lstrip().startswith("+"):
        return msisdn(value)
    raise InvalidAddress("neither an email address (no @) nor a phone number (no + in front)")


def read_threepid(medium: str, address: str) -> ThreePid:
    """Make a 3PID of what a server says, which need not be in canonical form.

    Raises:
        InvalidAddress: If it is none, or of a medium that is neither.
    """
    if medium == "email":
        return email(address)
    if medium == "msisdn":
        return msisdn(address)
    raise InvalidAddress("neither email nor msisdn")


def parse_threepids(values: Iterable[ThreePid | str]) -> list[ThreePid]:
    """Make 3PIDs of many texts.

    Raises:
        InvalidAddress: With all positions of what is neither.
        TypeError: If it is one text, whose letters are no addresses.
    """
    if isinstance(values, str):
        raise TypeError("many addresses are needed, not one string")
    found, bad = [], []
    for position, value in enumerate(values):
        try:
            found.append(parse_threepid(value))
        except InvalidAddress:
            bad.append(position)
    if bad:
        raise InvalidAddress(NO_ADDRESS, tuple(bad))
    return found


def _is_email(address: str) -> bool:
    # Deliberately little: one @, something on both sides, nothing blank or unprintable. What is a
    # mailbox is for the mail server to say; a parser that knows better finds a@evil@good.
    local, at, domain = address.partition("@")
    return (
        bool(local and at and domain)
        and "@" not in domain
        and len(address) <= LONGEST_EMAIL
        and address.isprintable()
        and " " not in address
        and address == address.casefold()
    )


def _is_msisdn(digits: str) -> bool:
    return _DIGITS.fullmatch(digits) is not None
