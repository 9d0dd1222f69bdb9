"""A text that must not be shown."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """A token, or another text that proves something: never printed, logged or pickled.

    Args:
        text: The text; :meth:`reveal` gives it back, to be used in the same expression.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (text.encode(errors="surrogatepass") for text in (self.__text, other.__text))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self.__text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied")
