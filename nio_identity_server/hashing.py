"""Lookup hashes, many at a time.

https://spec.matrix.org/v1.16/identity-service-api/#hashing: SHA-256 of
``<address> <medium> <pepper>``, in URL-safe base64 without padding.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import sha256

from nio_identity_server.threepid import Medium

# One digest and one zero byte are 33 bytes, which base64 writes as 44 characters without padding;
# the last of them comes from the zero byte alone.
_WIDTH = 44
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def hash_addresses(addresses: Sequence[bytes], medium: Medium, pepper: str) -> list[str]:
    """Hash canonical addresses of one medium for a lookup.

    All digests are written as base64 at once, which leaves SHA-256 itself as most of the cost; and
    most of that is to set it up, so that a copy of an empty state is the fastest to begin with.

    Args:
        addresses: Canonical addresses, in UTF-8.
        medium: Their medium.
        pepper: The server's pepper.
    """
    if not addresses:
        return []
    ending = f" {medium} {pepper}".encode()
    digests, begin = list[bytes](), sha256().copy
    for address in addresses:
        state = begin()
        state.update(address)
        state.update(ending)
        digests.append(state.digest())
    data = b"\0".join(digests) + b"\0"
    lines = bytearray(b2a_base64(data, newline=False).translate(_URL_SAFE))
    lines[_WIDTH - 1 :: _WIDTH] = b"\n" * len(addresses)
    return lines.decode("ascii").split("\n")[:-1]
