"""The root of the tree."""

from __future__ import annotations


class IdentityServerError(Exception):
    """The root of everything that goes wrong here."""
