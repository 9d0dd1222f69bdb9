"""JSON as RFC 8259 and the Matrix specification mean it, and nothing else.

``json.loads`` guesses UTF-16, takes NaN, keeps the last of two equal keys, and raises five kinds of
exception. A reply of a server is read here instead, always with the same verdict.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class NotJson(ValueError):
    """The bytes are not one JSON value in UTF-8; the text says which rule they break."""


def loads(data: bytes) -> Any:
    """Decode one JSON value.

    Refused, beyond bad syntax: anything but UTF-8, a byte order mark, ``NaN`` and infinities,
    numbers that overflow, equal keys in one object, lone surrogates, and nesting or integers
    beyond what Python handles.

    Raises:
        NotJson: For all of that, with no part of the data in the text.
    """
    reason = ""
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        if b"\\u" in data:
            _refuse_lone_surrogates(value)
    except NotJson as error:
        reason = str(error)
    except UnicodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except (ValueError, MemoryError, OverflowError):
        reason = "it is not valid JSON"
    else:
        return value
    raise NotJson(reason)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise NotJson("an object has the same key twice")
    return result


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson("a number is too large")
    return number


def _no_constant(_name: str) -> NoReturn:
    raise NotJson("NaN and Infinity are not JSON")


def _refuse_lone_surrogates(value: Any) -> None:
    """Raise NotJson if a string somewhere could not be written as UTF-8 again.

    RFC 8259 section 8.2: an escape may name half of a surrogate pair.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        pass
    else:
        return
    raise NotJson("a string holds half of a surrogate pair")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_float=_finite, parse_constant=_no_constant
)
