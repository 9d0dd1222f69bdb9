"""Faults of bodies: their size, their encoding, and whether they are JSON of the right form."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

from tests.proof.fault_matrix.faults import Family, Fault, Scene, same
from tests.proof.fault_matrix.in_framing import CHUNKED, CLOSE, OK, STALL
from tests.proof.fault_matrix.samples import BODY, Sample
from tests.raw_server import Repeat, Script, Step, answer

MIB = 2**20
_BOMB = gzip.compress(b" " * 64 * MIB, 1)
_BLANKS = b" " * 0x10000


def _one_byte_more(sample: Sample) -> Script:
    size = sample.endpoint.cap + 1
    return [CHUNKED + b"%x\r\n" % size + b" " * size + b"\r\n", STALL]


def _announced(_: Sample) -> Script:
    return [answer(BODY.encode(), length=10 * 10**9), STALL]


def _of_blanks(head: bytes, piece: bytes) -> Scene:
    return lambda _: [head, Repeat(piece)]


TOO_LARGE = (
    Fault("one byte more", Family.TOO_LARGE, _one_byte_more, is_large=True),
    Fault("announced: 10 GB", Family.TOO_LARGE, _announced, is_large=True),
    *(
        Fault(name, Family.TOO_LARGE, _of_blanks(head, piece), is_large=True)
        for name, head, piece in (
            ("endless", OK + b"\r\n", _BLANKS),
            ("endless chunks", CHUNKED, b"10000\r\n" + _BLANKS + b"\r\n"),
            ("endless small chunks", CHUNKED, (b"400\r\n" + b" " * 0x400 + b"\r\n") * 64),
            ("endless refusal", b"HTTP/1.1 403 No\r\n\r\n", _BLANKS),
            ("endless failure", b"HTTP/1.1 500 No\r\n\r\n", _BLANKS),
        )
    ),
)


def _encoded(coding: str, encode: Callable[[bytes], bytes]) -> Scene:
    header = f"Content-Encoding: {coding}"
    return lambda sample: [answer(encode(sample.good), "200 OK", header)]


def _bomb(_: Sample) -> Script:
    return [answer(_BOMB, "200 OK", "Content-Encoding: gzip")]


ENCODED = (
    Fault("gzip", Family.ENCODED, _encoded("gzip", gzip.compress)),
    Fault("GZIP", Family.ENCODED, _encoded("GZIP", gzip.compress)),
    Fault("deflate", Family.ENCODED, _encoded("deflate", zlib.compress)),
    Fault("gzip that is none", Family.GARBLED, _encoded("gzip", lambda body: body)),
    Fault("gzip bomb", Family.TOO_LARGE, _bomb, is_large=True),
)

_NO_JSON = {
    "empty body": b"",
    "blanks": b" \r\n\t ",
    "cut JSON": b'{"a": 1',
    "cut string": b'{"a": "b',
    "cut literal": b"tru",
    "trailing data": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "no comma": b'{"a": 1 "b": 2}',
    "single quotes": b"{'a': 1}",
    "bare key": b"{a: 1}",
    "comment": b"{} // nothing",
    "NUL": b"{}\x00",
    "control character": b'{"a": "\x01"}',
    "bad escape": b'{"a": "\\x41"}',
    "cut escape": b'{"a": "\\u12"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": -Infinity}',
    "1e400": b'{"a": 1e400}',
    "leading zero": b'{"a": 01}',
    "plus": b'{"a": +1}',
    "hexadecimal": b'{"a": 0x10}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "same key twice": b'{"a": 1, "a": 2}',
    "same key inside": b'{"x": {"a": 1, "a": 1}}',
    "half of a pair": b'{"a": "\\ud800"}',
    "half of a pair as key": b'{"\\udfff": 1}',
    "deep lists": b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "UTF-16": "{}".encode("utf-16"),
    "UTF-16 without a mark": "{}".encode("utf-16-le"),
    "UTF-32": "{}".encode("utf-32"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "Latin-1": b'{"a": "\xe9"}',
    "surrogate": b'{"a": "\xed\xa0\x80"}',
    "overlong": b'{"a": "\xc0\x80"}',
    "HTML with 200": b"<html>" + BODY.encode() + b"</html>",
}

_OPEN: dict[str, list[Step]] = {"cut without a length": [OK + b'\r\n{"a', CLOSE]}


def _on_top(value: object) -> Scene:
    """Another JSON value than an object, where one is asked for."""

    def scene(sample: Sample) -> Script | None:
        return None if sample.endpoint.reply is Any else [answer(json.dumps(value).encode())]

    return scene


def _other_container(sample: Sample) -> Script | None:
    """An empty list where an object is asked for, and the other way round."""
    if sample.endpoint.reply is Any:
        return None
    return [answer(b"{}" if isinstance(sample.reply, list) else b"[]")]


def _changed(change: Callable[[dict[str, Any], str], object]) -> Scene:
    """The good reply, with a change at the first key that it cannot do without."""

    def scene(sample: Sample) -> Script | None:
        if not sample.needed:
            return None
        reply = dict(sample.reply)
        change(reply, sample.needed[0])
        return [answer(json.dumps(reply).encode())]

    return scene


WRONG_FORM = (
    Fault("the other container", Family.WRONG_FORM, _other_container),
    Fault("null", Family.WRONG_FORM, _on_top(None)),
    Fault("a string", Family.WRONG_FORM, _on_top(BODY)),
    Fault("a number", Family.WRONG_FORM, _on_top(1)),
    Fault("no key at all", Family.WRONG_FORM, _changed(lambda reply, _: reply.clear())),
    Fault("a missing key", Family.WRONG_FORM, _changed(lambda reply, key: reply.pop(key))),
    Fault(
        "a key in capitals",
        Family.WRONG_FORM,
        _changed(lambda reply, key: reply.update({key.upper(): reply.pop(key)})),
    ),
    *(
        Fault(
            f"{name} instead",
            Family.WRONG_FORM,
            _changed(
                lambda reply, key, value=value: reply.update({key: value})  # type: ignore[misc]
            ),
        )
        for name, value in {
            "null": None,
            "a float": 1.5,
            "an object with a list": {BODY: [BODY]},
            "a list of lists": [[BODY]],
        }.items()
    ),
)

BODIES = (
    *TOO_LARGE,
    *ENCODED,
    *same(Family.NO_JSON, {name: [answer(body)] for name, body in _NO_JSON.items()}),
    *same(Family.NO_JSON, _OPEN),
    *WRONG_FORM,
)
