"""What a fault is, and what has to become of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum

import attrs

from nio_identity_server.errors import MatrixError
from tests.proof.fault_matrix.answering import AnsweringServer
from tests.proof.fault_matrix.samples import Sample
from tests.raw_server import Certificates, Script


class Family(Enum):
    """What faults have in common: what the caller can know afterwards."""

    UNREACHABLE = "no request is sent"
    BROKEN_OFF = "the connection ends before the answer begins"
    CUT = "the answer ends too soon"
    SILENT = "the answer takes too long"
    NO_HTTP = "the answer is not HTTP"
    NO_STATUS = "the answer has a status that does not exist"
    UNEXPECTED = "the answer has a status that does not belong here"
    REDIRECT = "the answer is somewhere else"
    ASTRAY = "the answer is somewhere else, where nobody is"
    TOO_LARGE = "the answer is larger than it may be"
    ENCODED = "the answer is encoded, well"
    GARBLED = "the answer is encoded, badly"
    NO_JSON = "the answer is not JSON"
    WRONG_FORM = "the answer is JSON of another form"
    REFUSED = "the server says no"
    FAILED = "the server, or a proxy, says that something failed"


HANGS_UP = frozenset(
    {
        Family.BROKEN_OFF,
        Family.CUT,
        Family.SILENT,
        Family.NO_HTTP,
        Family.TOO_LARGE,
    }
)
"""After these nobody can tell what the next bytes of the connection would mean."""

PATIENT = frozenset({Family.BROKEN_OFF, Family.CUT, Family.SILENT, Family.FAILED})
"""After these it may help to send the request again."""


class Limit(Enum):
    """Which time limit ends the waiting."""

    CONNECT = "to connect"
    READ = "between two pieces of an answer"
    TOTAL = "for everything"


@attrs.frozen
class Place:
    """Where requests go.

    Attributes:
        url: The base URL.
        server: What listens there, if anything does.
    """

    url: str
    server: AnsweringServer | None = None


Scene = Callable[[Sample], Script | None]
Opened = AbstractAsyncContextManager[Place]


@asynccontextmanager
async def plain(_: Certificates) -> AsyncIterator[Place]:
    """A server without TLS."""
    async with AnsweringServer() as server:
        yield Place(server.url, server)


@attrs.frozen
class Fault:
    """One way to go wrong.

    Attributes:
        name: What happens.
        family: What has to become of it.
        scene: What a server plays instead of a good answer; None for an endpoint at which that
            would be no fault.
        limit: The time limit that ends it, if one has to.
        kind: The refusal that a client of an identity server gets.
        patient: Whether it may help to send the request again, if its family does not tell.
        obstacle: Whether a session tries to put it right.
        is_large: Whether memory is measured.
        place: Where requests go.
    """

    name: str
    family: Family
    scene: Scene = attrs.field(repr=False, default=lambda _: ())
    limit: Limit | None = None
    kind: type[MatrixError] = MatrixError
    patient: bool | None = None
    obstacle: bool = False
    is_large: bool = False
    place: Callable[[Certificates], Opened] = attrs.field(repr=False, default=plain)

    def __str__(self) -> str:
        return self.name

    @property
    def may_repeat(self) -> bool:
        """Whether it may help to send the request again."""
        return self.family in PATIENT if self.patient is None else self.patient


def always(script: Script) -> Scene:
    """The same for every endpoint."""
    return lambda _: script


def same(family: Family, scripts: Mapping[str, Script]) -> list[Fault]:
    """Faults of one family that are the same for every endpoint."""
    return [Fault(name, family, always(tuple(script))) for name, script in scripts.items()]
