"""Bodies that a server may send, and whether they are JSON."""

from __future__ import annotations

from typing import Any

NOT_UTF8 = "it is not UTF-8"
TOO_DEEP = "it is nested too deeply"
INVALID = "it is not valid JSON"
TWICE = "an object has the same key twice"
TOO_LARGE = "a number is too large"
CONSTANT = "NaN and Infinity are not JSON"
HALF_PAIR = "a string holds half of a surrogate pair"

REASONS = frozenset({NOT_UTF8, TOO_DEEP, INVALID, TWICE, TOO_LARGE, CONSTANT, HALF_PAIR})
"""Every reason there is: texts that are fixed cannot repeat what was sent."""

ACCEPTED: dict[str, tuple[bytes, Any]] = {
    "object": (b'{"a": 1}', {"a": 1}),
    "empty object": (b"{}", {}),
    "list": (b"[1, [], {}]", [1, [], {}]),
    "string": (b'"a"', "a"),
    "empty string": (b'""', ""),
    "number": (b"5", 5),
    "fraction": (b"-1.5e3", -1500.0),
    "tiny fraction": (b"1e-400", 0.0),
    "null": (b"null", None),
    "true": (b"true", True),
    "false": (b"false", False),
    "blanks around": (b" \t\r\n{}\r\n ", {}),
    "UTF-8": (b'"\xc3\xbc\xf0\x9f\x98\x80"', "\u00fc\U0001f600"),
    "escaped pair": (rb'"\ud83d\ude00"', "\U0001f600"),
    "escaped NUL": (rb'"\u0000"', "\0"),
    "escaped backslash before a u": (rb'"\\ud800"', "\\ud800"),
    "line separator": (b'"\xe2\x80\xa8"', "\u2028"),
    "byte order mark in a string": (b'"\xef\xbb\xbf"', "\ufeff"),
    "integer of 65 bits": (b"18446744073709551616", 2**64),
    "integer of 4300 digits": (b"1" * 4300, (10**4300 - 1) // 9),
    "same key in two objects": (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
    "same key one level down": (b'{"a":{"a":1}}', {"a": {"a": 1}}),
    "keys that differ in case": (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
    "empty key": (b'{"":1}', {"": 1}),
    "200 levels": (b"[" * 200 + b"]" * 200, None),
}
_nested: list[Any] = []
for _ in range(199):
    _nested = [_nested]
ACCEPTED["200 levels"] = (ACCEPTED["200 levels"][0], _nested)

REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", INVALID),
    "blanks": (b" \n\t ", INVALID),
    "NUL": (b"\0", INVALID),
    "HTML": (b"<html><body>502 Bad Gateway</body></html>", INVALID),
    "word": (b"undefined", INVALID),
    "Python": (b"{'a': None}", INVALID),
    "True": (b"True", INVALID),
    "UTF-16, little end first": ('{"a":1}'.encode("utf-16-le"), INVALID),
    "UTF-16, big end first": ('{"a":1}'.encode("utf-16-be"), INVALID),
    "UTF-16 with its mark": ('{"a":1}'.encode("utf-16"), NOT_UTF8),
    "UTF-32": ('{"a":1}'.encode("utf-32-le"), INVALID),
    "UTF-32 with its mark": ('{"a":1}'.encode("utf-32"), NOT_UTF8),
    "byte order mark": (b'\xef\xbb\xbf{"a":1}', INVALID),
    "Latin-1": ('{"a":"\u00fc"}'.encode("latin-1"), NOT_UTF8),
    "UTF-7": (b"+AHsAfQ-", INVALID),
    "punycode": (b"-" * 80_000 + b"zzzz", INVALID),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0", NOT_UTF8),
    "overlong UTF-8": (b'"\xc0\xaf"', NOT_UTF8),
    "raw surrogate": (b'"\xed\xa0\x80"', NOT_UTF8),
    "raw pair of surrogates": (b'"\xed\xa0\xbd\xed\xb8\x80"', NOT_UTF8),
    "beyond Unicode": (b'"\xf4\x90\x80\x80"', NOT_UTF8),
    "cut in a character": (b'"\xc3', NOT_UTF8),
    "NaN": (b"NaN", CONSTANT),
    "NaN inside": (b'{"a":[NaN]}', CONSTANT),
    "Infinity": (b"Infinity", CONSTANT),
    "-Infinity": (b"[-Infinity]", CONSTANT),
    "1e400": (b"1e400", TOO_LARGE),
    "-1e400": (b'{"a":-1e400}', TOO_LARGE),
    "400 digits and a fraction": (b"1" * 400 + b".5", TOO_LARGE),
    "same key twice": (b'{"a":1,"a":1}', TWICE),
    "same key twice, nested": (b'{"b":[{"a":1,"c":2,"a":3}]}', TWICE),
    "same key, once escaped": (rb'{"a":1,"\u0061":2}', TWICE),
    "first half of a pair": (rb'"\ud800"', HALF_PAIR),
    "second half of a pair": (rb'["\udfff"]', HALF_PAIR),
    "pair in the wrong order": (rb'"\ude00\ud83d"', HALF_PAIR),
    "half of a pair in a key": (rb'{"\ud800":1}', HALF_PAIR),
    "half of a pair, nested": (rb'{"a":[{"b":"x\uDBFFx"}]}', HALF_PAIR),
    "integer of 5000 digits": (b"1" * 5000, INVALID),
    "negative integer of 5000 digits": (b'{"a":-' + b"1" * 5000 + b"}", INVALID),
    "list of 100,000 levels": (b"[" * 100_000, TOO_DEEP),
    "closed list of 100,000 levels": (b"[" * 100_000 + b"]" * 100_000, TOO_DEEP),
    "object of 100,000 levels": (b'{"a":' * 100_000, TOO_DEEP),
    "two values": (b"{}{}", INVALID),
    "two lines": (b"{}\n{}", INVALID),
    "something behind": (b"{}x", INVALID),
    "NUL behind": (b"{}\0", INVALID),
    "comma behind": (b"[1,]", INVALID),
    "comma in an object": (b'{"a":1,}', INVALID),
    "cut": (b'{"a":', INVALID),
    "string not closed": (b'"a', INVALID),
    "single quotes": (b"'a'", INVALID),
    "key without quotes": (b"{a:1}", INVALID),
    "key that is a number": (b"{1:1}", INVALID),
    "comment": (b"{}//", INVALID),
    "newline in a string": (b'"a\nb"', INVALID),
    "tab in a string": (b'"a\tb"', INVALID),
    "NUL in a string": (b'"\0"', INVALID),
    "unknown escape": (rb'"\x41"', INVALID),
    "short escape": (rb'"\u12"', INVALID),
    "escape with a sign": (rb'"\u+123"', INVALID),
    "zero before": (b"01", INVALID),
    "plus": (b"+1", INVALID),
    "no digit before the point": (b".5", INVALID),
    "no digit behind the point": (b"5.", INVALID),
    "hexadecimal": (b"0x1", INVALID),
    "underscore": (b"1_000", INVALID),
    "full-width digit": ("\uff11".encode(), INVALID),
    "digit outside ASCII": ("1\u0661".encode(), INVALID),
    "no-break space around": ("\u00a0{}".encode(), INVALID),
    "form feed around": (b"\f{}", INVALID),
}
