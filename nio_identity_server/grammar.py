"""Grammars of the specification, checked at birth: attrs validators that never repeat the value."""

from __future__ import annotations

import re

import attrs

_OPAQUE = re.compile(r"[0-9a-zA-Z.=_-]{1,255}")
_MEDIUMS = frozenset({"email", "msisdn"})


def check_opaque(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    """Check a ``sid``, a ``client_secret`` or an invitation's token.

    ``fullmatch``, because ``$`` lets a line break through at the end (as in Sydent and Synapse).

    Raises:
        ValueError: If it is not of the grammar.
    """
    if not _OPAQUE.fullmatch(value):
        raise ValueError(f"{attribute.name} is not 1 to 255 characters of 0-9a-zA-Z.=_-")


def check_medium(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    """Check a medium.

    Raises:
        ValueError: If it is neither ``email`` nor ``msisdn``.
    """
    if value not in _MEDIUMS:
        raise ValueError(f"{attribute.name} is neither email nor msisdn")
