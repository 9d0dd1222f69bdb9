"""Finding who of many addresses is on Matrix.

https://spec.matrix.org/v1.16/identity-service-api/#association-lookup, MSC2134
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain, compress
from typing import Protocol

import attrs

from nio_identity_server.batch import Batch
from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.endpoints.lookup import (
    LARGE,
    GetHashDetails,
    HashDetails,
    LookupUsers,
)
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    HashingNotSupported,
    IdentityServerError,
    MatrixError,
)
from nio_identity_server.hashing import hash_addresses
from nio_identity_server.matrix_id import is_user_id
from nio_identity_server.single_flight import SingleFlight
from nio_identity_server.threepid import Medium, ThreePid

CHUNK = 5_000
"""Addresses in one request. Sydent takes 10,000 and blocks everybody meanwhile; one request for all
is slower, takes a hundred times the memory, and stops our own event loop for seconds."""

AT_ONCE = 2
"""Requests at the same time."""

PEPPERS = 2
"""How often one lookup follows a pepper that was rotated under it."""

_LONGEST_PEPPER = 256

_QUOTES = '","'

Match = tuple[ThreePid, str]


class Ask(Protocol):
    """Sends one request to the identity server, with a token."""

    async def __call__(self, endpoint: Endpoint[Reply], /) -> Reply:
        """Send it and read the reply."""
        ...


@attrs.define(eq=False)
class Peppers:
    """The hash details of one server, fetched once in a generation and when they are refused.

    Attributes:
        ask: Sends a request.
        server: The server's base URL.
    """

    ask: Ask
    server: str
    _details: HashDetails | None = None
    _flight: SingleFlight[HashDetails | IdentityServerError] = attrs.field(
        factory=SingleFlight, init=False
    )

    async def current(self) -> HashDetails:
        """The details, fetched if need be."""
        if self._details is None:
            outcome = await self._flight.run(self._fetch)
            if isinstance(outcome, IdentityServerError):
                raise outcome
            return outcome
        return self._details

    def refused(self, details: HashDetails) -> bool:
        """Fetch them again when they are next needed; tell whether nobody else has asked for it."""
        if self._details is not details:
            return False
        self._details = None
        return True

    async def _fetch(self) -> HashDetails | IdentityServerError:
        try:
            details = await self.ask(GetHashDetails())
        except IdentityServerError as error:
            return error
        pepper = details.lookup_pepper
        if not 0 < len(pepper) <= _LONGEST_PEPPER or not pepper.isprintable():
            return BadResponse(self.server, "the pepper is not 1 to 256 printable characters")
        self._details = details
        return details


@attrs.define(eq=False)
class Lookup:
    """One lookup, of any number of chunks.

    Attributes:
        ask: Sends a request.
        peppers: The hash details of the server.
        allow_plaintext: Whether addresses may be sent in the clear, if the server takes no hashes.
    """

    ask: Ask
    peppers: Peppers
    allow_plaintext: bool = False
    _most: int = CHUNK
    _refreshes: int = 0

    async def find(self, batch: Batch) -> list[Match]:
        """Ask about one chunk.

        Returns:
            Who of it has a Matrix user, as far as the server says: anyone may bind any user.
        """
        pieces, found = deque([batch]), list[Match]()
        while pieces:
            piece = pieces.popleft()
            if len(piece) > self._most:
                pieces.extendleft(reversed(piece.halves()))
                continue
            details = await self.peppers.current()
            try:
                found += await self._find_with_fresh_pepper(piece, details)
            except (MatrixError, CannotConnect) as error:
                if not _is_too_large(error) or len(piece) < 2 * LARGE:
                    raise
                # The chunks that follow are cut before they are refused.
                self._most = (len(piece) + 1) // 2
                pieces.appendleft(piece)
        return found

    async def _find_with_fresh_pepper(self, batch: Batch, details: HashDetails) -> list[Match]:
        try:
            return await self._find(batch, details)
        except MatrixError as error:
            if error.errcode != "M_INVALID_PEPPER" or self._refreshes >= PEPPERS:
                raise
        # The new pepper stands in the error as well, but the specification wants it fetched, and
        # an error's body is checked by nobody.
        self._refreshes += self.peppers.refused(details)
        return await self._find(batch, await self.peppers.current())

    async def _find(self, batch: Batch, details: HashDetails) -> list[Match]:
        algorithm = self._algorithm(details)
        asked = [
            (medium, addresses, _hide(addresses, medium, algorithm, details.lookup_pepper))
            for medium, addresses in batch.by_medium()
        ]
        # A set: each address once, and in an order that says nothing about the address book.
        questions = frozenset(chain.from_iterable(hidden for _, _, hidden in asked))
        kind = _HashedLookup if algorithm == "sha256" else LookupUsers
        reply = await self.ask(kind(questions, algorithm, details.lookup_pepper))
        mappings = reply.mappings
        if not mappings.keys() <= questions:
            raise BadResponse(self.peppers.server, "it tells of addresses that were not asked for")
        if not all(map(is_user_id, mappings.values())):
            raise BadResponse(self.peppers.server, "it names something that is no user")
        found = list[Match]()
        for medium, addresses, hidden in asked if mappings else ():
            hits = list(map(mappings.__contains__, hidden))
            found += [
                (ThreePid(medium, address), mappings[key])
                for address, key in zip(
                    compress(addresses, hits), compress(hidden, hits), strict=True
                )
            ]
        return found

    def _algorithm(self, details: HashDetails) -> str:
        if "sha256" in details.algorithms:
            return "sha256"
        if self.allow_plaintext and "none" in details.algorithms:
            return "none"
        raise HashingNotSupported(self.peppers.server)


@attrs.frozen
class _HashedLookup(LookupUsers):
    """The same, with addresses that were hashed here: hashes need no escaping."""

    @property
    def payload(self) -> bytes:
        """The body, in half the time of a JSON encoder."""
        rest = json.dumps({"algorithm": self.algorithm, "pepper": self.pepper})
        return f'{{"addresses":["{_QUOTES.join(self.addresses)}"],{rest[1:]}'.encode()


def _hide(addresses: Sequence[str], medium: Medium, algorithm: str, pepper: str) -> list[str]:
    if algorithm == "none":
        return [f"{address} {medium}" for address in addresses]
    return hash_addresses(addresses, medium, pepper)


def _is_too_large(error: MatrixError | CannotConnect) -> bool:
    """Whether a smaller request may succeed.

    Sydent resets the connection, without an answer, when a body is larger than it likes.
    """
    if isinstance(error, CannotConnect):
        return True
    too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return error.errcode == "M_TOO_LARGE" or error.status == too_large
