"""Who is on Matrix: addresses become user ids.

https://spec.matrix.org/v1.16/identity-service-api/#association-lookup
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import attrs
import msgspec

from nio_identity_server.endpoint import Endpoint
from nio_identity_server.words import without

LARGE = 1250
"""This many addresses, or more, make a request that a server may find too large."""

_CAP = 4 * 1024
# In the clear, an address comes back as a key, perhaps with every character escaped.
_ESCAPED = 6
# A hash, the longest user id that there may be, and what JSON puts around them.
_CAP_FOR_EACH = 400


@attrs.frozen
class HashDetails:
    """How the server wants addresses to be hashed.

    Attributes:
        lookup_pepper: To be hashed with each address, and to be sent with the hashes.
        algorithms: What it understands, ``sha256`` at least.
    """

    lookup_pepper: str
    algorithms: tuple[str, ...]


@attrs.frozen
class GetHashDetails(Endpoint[HashDetails]):
    """GET /_matrix/identity/v2/hash_details: the pepper and the algorithms for a lookup.

    https://spec.matrix.org/v1.16/identity-service-api/#get_matrixidentityv2hash_details
    """

    path: ClassVar[str] = "/_matrix/identity/v2/hash_details"
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = HashDetails


@attrs.frozen
class Mappings:
    """What was found.

    Attributes:
        mappings: The user id by what was sent for the address; who is not on Matrix is left out.
    """

    mappings: dict[str, str] = attrs.field(repr=False)


@attrs.frozen
class LookupUsers(Endpoint[Mappings]):
    """POST /_matrix/identity/v2/lookup: the user ids of many addresses.

    Sydent refuses more than 10,000 addresses with 400 ``M_TOO_LARGE``, and cuts the connection
    without an answer when the body is larger than 512 KiB. The ``pepper`` is required even for the
    algorithm ``none``, with which the keys of the answer come back case-folded and not as sent.

    https://spec.matrix.org/v1.16/identity-service-api/#post_matrixidentityv2lookup
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/_matrix/identity/v2/lookup"
    authenticated: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    reply: ClassVar[Any] = Mappings
    timeout: ClassVar[float] = 60.0

    addresses: Collection[str] = attrs.field(repr=False)
    algorithm: str
    pepper: str

    @property
    def cap(self) -> int:  # type: ignore[override] # grows with what is asked
        """Most bytes that a reply may have."""
        cap = _CAP + _CAP_FOR_EACH * len(self.addresses)
        if self.algorithm == "none":
            cap += _ESCAPED * sum(map(len, self.addresses))
        return cap

    @property
    def is_large(self) -> bool:
        """Whether a server may have cut the connection because of the size."""
        return len(self.addresses) >= LARGE

    @property
    def body(self) -> Mapping[str, Any]:
        """The addresses as they were hashed, and how."""
        return {
            "addresses": list(self.addresses),
            "algorithm": self.algorithm,
            "pepper": self.pepper,
        }

    @property
    def payload(self) -> bytes:
        """The body without a blank, so that 10,000 hashes stay within what Sydent takes."""
        try:
            # Ten times as fast as json, which knows in return how to write half of a surrogate
            # pair: an address with one is not on Matrix, and no reason to fail.
            return msgspec.json.encode(
                {
                    "addresses": self.addresses,
                    "algorithm": self.algorithm,
                    "pepper": self.pepper,
                }
            )
        except UnicodeEncodeError:
            return json.dumps(self.body, separators=(",", ":")).encode()

    def redact(self, text: str) -> str:
        """Blank out the addresses; what goes in the clear is the address, a blank, its medium."""
        text = super().redact(text)
        if self.algorithm == "none":
            text = without(text, (each.rpartition(" ")[0] for each in self.addresses))
        return text
