"""Faults of HTTP: the status line, the headers, and where a body ends."""

from __future__ import annotations

from tests.proof.fault_matrix.faults import Family, Fault, Limit, always, same
from tests.proof.fault_matrix.samples import HEADER
from tests.raw_server import End, Repeat, Step, answer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE, RESET, STALL = End.CLOSE, End.RESET, End.STALL


def framed(headers: bytes) -> bytes:
    """A good answer but for these headers."""
    return OK + headers + b"\r\n\r\n{}"


_BROKEN_OFF: dict[str, list[Step]] = {
    "close": [CLOSE],
    "reset": [RESET],
    "cut in the status line": [b"HTTP/1.1 20", CLOSE],
    "cut in the headers": [OK + b"Content-Le", CLOSE],
    "reset in the headers": [OK + b"Content-Le", RESET],
    "100 and close": [b"HTTP/1.1 100 Continue\r\n\r\n", CLOSE],
}

_CUT: dict[str, list[Step]] = {
    "cut before the body": [answer(b"", length=2), CLOSE],
    "cut in the body": [answer(b"{", length=2), CLOSE],
    "reset in the body": [answer(b"{", length=2), RESET],
    "cut in a chunk": [CHUNKED + b"2\r\n{", CLOSE],
    "no last chunk": [CHUNKED + b"2\r\n{}\r\n", CLOSE],
}

_NO_HTTP: dict[str, list[Step]] = {
    "garbage": [b"\x16\x03\x01\x00\xff\x01\r\n\r\n", CLOSE],
    "SSH": [b"SSH-2.0-OpenSSH_9.9\r\n", CLOSE],
    "HTTP/0.9": [b"<html>hello</html>", CLOSE],
    "HTTP/2": [b"HTTP/2 200\r\n\r\n{}", CLOSE],
    "HTTP/9.9": [b"HTTP/9.9 200 OK\r\n\r\n{}", CLOSE],
    "status 99": [answer(status="99 Low"), CLOSE],
    "status 1000": [answer(status="1000 High"), CLOSE],
    "status -200": [answer(status="-200 Low"), CLOSE],
    "status abc": [answer(status="abc"), CLOSE],
    "204 and a body": [answer(status="204 Not empty"), CLOSE],
    "endless reason": [b"HTTP/1.1 200 ", Repeat(b"y" * 1000)],
    "header of 100 kB": [answer(b"{}", "200 OK", f"X: {HEADER}" + "x" * 100_000)],
    "5,000 headers": [answer(b"{}", "200 OK", *(f"X{each}: {HEADER}" for each in range(5000)))],
    "endless headers": [OK, Repeat(b"X: y\r\n" * 100)],
    "endless header": [OK + b"X: ", Repeat(b"y" * 1000)],
    "no colon": [framed(b"Content-Length 2")],
    "two lengths": [framed(b"Content-Length: 2\r\nContent-Length: 3")],
    "negative length": [framed(b"Content-Length: -2")],
    "length with a plus": [framed(b"Content-Length: +2")],
    "hexadecimal length": [framed(b"Content-Length: 0x2")],
    "length of 5,000 digits": [framed(b"Content-Length: " + b"9" * 5000)],
    "length and chunks": [
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ],
    "NUL in a header": [framed(b"X: a\x00b")],
    "header without a name": [framed(b": a")],
    "bytes in a name": [framed(b"X\xff: \xff")],
    "longer than its length": [answer(b'{"a": 1}', length=4)],
    "bad chunk size": [CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"],
    "negative chunk": [CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n"],
    "bad end of a chunk": [CHUNKED + b"2\r\n{}XX0\r\n\r\n"],
}

_NO_STATUS: dict[str, list[Step]] = {
    "status 0": [answer(status="000 Zero")],
    "status 101": [answer(status="101 Switch")],
    "upgrade": [answer(b"{}", "101 Switch", "Upgrade: websocket", "Connection: upgrade")],
    "status 600": [answer(status="600 High")],
    "status 999": [answer(status="999 High")],
}

_UNEXPECTED: dict[str, list[Step]] = {
    "status 201": [answer(status="201 Created")],
    "status 204": [answer(b"", "204 Empty")],
    "status 206": [answer(status="206 Part")],
}

_SILENT: dict[str, list[Step]] = {
    "stall before the status": [STALL],
    "stall in the headers": [OK + b"X: y", STALL],
    "stall in the body": [answer(b"{", length=2), STALL],
    "stall in a chunk": [CHUNKED + b"1\r\n{", STALL],
    "stall before the end": [OK + b"\r\n{}", STALL],
}

_DRIPS: dict[str, list[Step]] = {
    "headers that drip": [OK + b"X: ", Repeat(b"y", 0.01)],
    "a body that drips": [answer(b"", length=1000), Repeat(b" ", 0.01)],
    "chunks that drip": [CHUNKED, Repeat(b"1\r\n \r\n", 0.01)],
    "endless 100": [Repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.01)],
    "endless 103": [Repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.01)],
    "endless chunk extension": [CHUNKED + b"2;", Repeat(b"x" * 1000, 0.001)],
}

FRAMING = (
    *same(Family.BROKEN_OFF, _BROKEN_OFF),
    *same(Family.CUT, _CUT),
    *same(Family.NO_HTTP, _NO_HTTP),
    *same(Family.NO_STATUS, _NO_STATUS),
    *same(Family.UNEXPECTED, _UNEXPECTED),
    *(Fault(name, Family.SILENT, always(script), Limit.READ) for name, script in _SILENT.items()),
    *(Fault(name, Family.SILENT, always(script), Limit.TOTAL) for name, script in _DRIPS.items()),
    Fault(
        "endless trailers",
        Family.CUT,
        always([CHUNKED + b"2\r\n{}\r\n0\r\n", Repeat(b"X: " + b"x" * 1000 + b"\r\n")]),
        is_large=True,
    ),
)
