"""The root of the tree."""

from __future__ import annotations

from typing import Self


class IdentityServerError(Exception):
    """The root of everything that goes wrong here."""

    def again(self) -> Self:
        """The same exception, to be raised by somebody else who waited for the same thing."""
        copy = type(self).__new__(type(self), *self.args)
        vars(copy).update(vars(self))
        return copy
