"""Finding who of many addresses is on Matrix.

https://spec.matrix.org/v1.16/identity-service-api/#association-lookup, MSC2134
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain, compress

import attrs

from nio_identity_server.batch import Batch
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
from nio_identity_server.flows.line import Ask
from nio_identity_server.hashing import hash_addresses
from nio_identity_server.matrix_id import is_user_id
from nio_identity_server.single_flight import SingleFlight
from nio_identity_server.threepid import Medium, ThreePid

CHUNK = 5_000
"""Addresses in one request. Sydent takes 10,000 and blocks everybody meanwhile; one request for all
is slower, takes a hundred times the memory, and stops our own event loop for seconds."""

AT_ONCE = 2
"""Requests at the same time."""

HALVINGS = 3
"""How often a request that a server finds too large is halved."""

LONGEST_BODY = 450_000
"""Bytes of addresses in one request: with everything around them, less than Sydent takes."""

# Blank, medium, two quotes and a comma around an address in the clear.
_AROUND = 10

PEPPERS = 2
"""How often one lookup follows a pepper that was rotated under it."""

_LONGEST_PEPPER = 256

_QUOTES = '","'

Match = tuple[ThreePid, str]


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
                raise outcome.again()
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
    _halvings: int = 0
    _refreshes: int = 0

    async def find(self, batch: Batch) -> list[Match]:
        """Ask about one chunk.

        Returns:
            Who of it has a Matrix user, as far as the server says: anyone may bind any user.
        """
        pieces, found = deque([batch]), list[Match]()
        while pieces:
            piece = pieces.popleft()
            details = await self.peppers.current()
            if len(piece) > self._most or self._is_too_long(piece, details):
                pieces.extendleft(reversed(piece.halves()))
                continue
            try:
                found += await self._find_with_fresh_pepper(piece, details)
            except (MatrixError, CannotConnect) as error:
                if not _is_too_large(error, piece) or not self._learn_size(len(piece)):
                    raise
                pieces.appendleft(piece)
        return found

    def _learn_size(self, refused: int) -> bool:
        """Take note that so many addresses are too many; tell whether to go on with fewer.

        The chunks that follow are cut before they are refused.
        """
        half = (refused + 1) // 2
        if half < self._most:
            self._halvings += 1
            self._most = half
        return self._halvings <= HALVINGS and refused > 1

    def _is_too_long(self, batch: Batch, details: HashDetails) -> bool:
        """Whether addresses in the clear would make a body that servers do not take."""
        if len(batch) == 1 or self._algorithm(details) == "sha256":
            return False
        every = chain(batch.emails, batch.msisdns)
        return sum(len(address) + _AROUND for address in every) > LONGEST_BODY

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
        pepper, probing = details.lookup_pepper, self._most < CHUNK
        reply = await self.ask(_Question(questions, algorithm, pepper, probing=probing))
        mappings = reply.mappings
        if not mappings.keys() <= questions:
            raise BadResponse(self.peppers.server, "it tells of addresses that were not asked for")
        if not all(map(is_user_id, mappings.values())):
            raise BadResponse(self.peppers.server, "it names something that is no user")
        found = list[Match]()
        for medium, addresses, hidden in asked if mappings else ():
            hits = list(map(mappings.__contains__, hidden))
            found += [
                (ThreePid(medium, address.decode()), mappings[key])
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


@attrs.frozen(kw_only=False)
class _Question(LookupUsers):
    """The same, about addresses that were hashed here.

    Attributes:
        probing: Whether it is smaller than usual because a larger one was refused: then it is not
            repeated but made smaller still.
    """

    probing: bool = False

    @property
    def is_large(self) -> bool:
        """Whether to make it smaller instead of sending it again."""
        return self.probing or super().is_large

    @property
    def payload(self) -> bytes:
        """The body, in half the time of a JSON encoder: hashes need no escaping."""
        if self.algorithm != "sha256":
            return super().payload
        rest = json.dumps({"algorithm": self.algorithm, "pepper": self.pepper})
        return f'{{"addresses":["{_QUOTES.join(self.addresses)}"],{rest[1:]}'.encode()


def _hide(addresses: Sequence[bytes], medium: Medium, algorithm: str, pepper: str) -> list[str]:
    if algorithm == "none":
        return [f"{address.decode()} {medium}" for address in addresses]
    return hash_addresses(addresses, medium, pepper)


def _is_too_large(error: MatrixError | CannotConnect, batch: Batch) -> bool:
    """Whether a smaller request may succeed.

    Sydent resets the connection, without an answer, when a body is larger than it likes. A server
    that cannot be reached, or that is slow, does not mean that.
    """
    if isinstance(error, CannotConnect):
        return error.cut and len(batch) >= LARGE
    too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return error.errcode == "M_TOO_LARGE" or error.status == too_large
