"""An identity server that is a function: what flows are tested with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import attrs

from nio_identity_server.batch import Batch
from nio_identity_server.endpoint import Endpoint, Reply
from nio_identity_server.endpoints.lookup import (
    GetHashDetails,
    HashDetails,
    LookupUsers,
    Mappings,
)
from nio_identity_server.errors import MatrixError
from nio_identity_server.flows.lookup import Lookup, Peppers

SERVER = "https://id.example.org"
USER = "@alice:example.org"
DETAILS = HashDetails("pepper0", ("none", "sha256"))
Answer = Callable[[LookupUsers], Mappings]


def refusal(errcode: str, status: int = 400) -> MatrixError:
    """What a server says."""
    return MatrixError(status, errcode, "no", SERVER)


def nobody(_: LookupUsers) -> Mappings:
    """Nobody is on Matrix."""
    return Mappings({})


def everybody(request: LookupUsers) -> Mappings:
    """Everybody is."""
    return Mappings(dict.fromkeys(request.addresses, USER))


@attrs.define
class Script:
    """Answers from functions, and keeps what was asked."""

    answer: Answer = everybody
    details: HashDetails = DETAILS
    rotates: bool = False
    asked: list[Endpoint[Any]] = attrs.field(factory=list)

    async def __call__(self, endpoint: Endpoint[Reply], /) -> Reply:
        """Give the answer, or raise it."""
        self.asked.append(endpoint)
        await asyncio.sleep(0)
        if isinstance(endpoint, LookupUsers):
            return cast("Reply", self.answer(endpoint))
        if self.rotates:
            self.details = attrs.evolve(self.details, lookup_pepper=f"pepper{len(self.asked)}")
        return cast("Reply", self.details)

    @property
    def lookups(self) -> list[LookupUsers]:
        """The lookups among them."""
        return [each for each in self.asked if isinstance(each, LookupUsers)]

    @property
    def fetches(self) -> int:
        """How often the hash details were fetched."""
        return sum(isinstance(each, GetHashDetails) for each in self.asked)

    def lookup(self, *, allow_plaintext: bool = False) -> Lookup:
        """A lookup that asks here."""
        return Lookup(self, Peppers(self, SERVER), allow_plaintext)


def emails(number: int) -> Batch:
    """So many addresses."""
    return Batch([b"user%d@example.org" % each for each in range(number)])


def refuse(error: Exception) -> Any:
    """Raise, where only an expression can stand."""
    raise error
