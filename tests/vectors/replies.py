"""Bodies of replies that no endpoint may choke on: JSON of a wrong form, or no JSON at all."""

from __future__ import annotations

HOSTILE = [
    *(b"", b" ", b"\0", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"<html>502</html>", b"{", b"{}{}", b"'"),
    *(b"null", b"true", b"0", b"-1", b"1e999", b"NaN", b"Infinity", b'""', b'"{}"', b"[]", b"[{}]"),
    *(b"[null]", b"[[]]", b'{"":null}', b'{"a":1,"a":2}', b'"\\ud800"', b'{"sid":"\\udc00"}'),
    *(b"[" * 2000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 990 + b"1" + b"}" * 990),
    *(b"1" * 5000, b'{"success":"false"}', b'{"success":0}', b'{"sid":1}', b'{"valid":"true"}'),
    *(b'{"sid":""}', b'{"sid":"1\\n"}', b'{"mappings":[]}', b'{"mappings":{"a":null}}'),
    *(b'{"token":""}', b'{"token":"a\\r\\nX: y"}', b'{"token":null,"access_token":"a"}'),
    *(b'{"public_key":["a"]}', b'{"lookup_pepper":null,"algorithms":["sha256"]}'),
    *(b'{"lookup_pepper":"a","algorithms":"sha256"}', b'{"algorithms":{"sha256":1}}'),
]
