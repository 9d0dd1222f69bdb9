"""Many addresses at once, in canonical form."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from nio_identity_server.errors import InvalidAddress
from nio_identity_server.threepid import LONGEST_EMAIL, Medium, ThreePid, parse_threepid


@attrs.frozen(repr=False)
class Batch:
    """Canonical addresses by medium, in the order in which they were given.

    Attributes:
        emails: Email addresses.
        msisdns: Phone numbers.
        invalid: Positions of what was neither, counted from 0.
    """

    emails: Sequence[str]
    msisdns: Sequence[str] = ()
    invalid: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.emails) + len(self.msisdns)

    def by_medium(self) -> tuple[tuple[Medium, Sequence[str]], ...]:
        """The addresses of each medium that there is."""
        both: tuple[tuple[Medium, Sequence[str]], ...] = (
            ("email", self.emails),
            ("msisdn", self.msisdns),
        )
        return tuple((medium, addresses) for medium, addresses in both if addresses)

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of half the size."""
        emails, msisdns = len(self.emails) // 2, (len(self.msisdns) + 1) // 2
        return (
            Batch(self.emails[:emails], self.msisdns[:msisdns]),
            Batch(self.emails[emails:], self.msisdns[msisdns:]),
        )


def read_batch(values: Sequence[ThreePid | str]) -> Batch:
    """Bring addresses into canonical form.

    A batch of nothing but good email addresses, the usual case, is folded and checked as one text,
    which is some twenty times faster than one by one.
    """
    emails = _fold_at_once(values)
    return Batch(emails) if emails is not None else _read_one_by_one(values)


# Everything but an @, a blank and control characters.
_PLAIN = bytes(code for code in range(256) if code > ord(" ") and code not in b"@\x7f")
# Nothing before or after an @. As one pattern, or with "in", this takes three times as long.
_EMPTY = (re.compile(" @"), re.compile("@ "))


def _fold_at_once(values: Sequence[ThreePid | str]) -> list[str] | None:
    """The same verdict as ``threepid.email`` on each value, or None if it is not sure."""
    if not values:
        return []
    try:
        text = " ".join(values).casefold()  # type: ignore[arg-type] # a ThreePid: TypeError
    except TypeError:
        return None
    if not text.isascii() and not text.isprintable():
        return None
    marks = text.encode().translate(None, _PLAIN)
    emails = text.split(" ")
    good = (
        marks == b" ".join([b"@"] * len(values))  # one @ in each, no blank, nothing unprintable
        and not text.startswith("@")
        and not text.endswith("@")
        and not any(empty.search(text) for empty in _EMPTY)
        and len(max(emails, key=len)) <= LONGEST_EMAIL
    )
    return emails if good else None


def _read_one_by_one(values: Sequence[ThreePid | str]) -> Batch:
    found: dict[Medium, list[str]] = {"email": [], "msisdn": []}
    invalid = []
    for position, value in enumerate(values):
        try:
            threepid = parse_threepid(value)
        except InvalidAddress:
            invalid.append(position)
        else:
            found[threepid.medium].append(threepid.address)
    return Batch(found["email"], found["msisdn"], tuple(invalid))
