"""The three ways on which a request leaves the package, and what has to come back on each."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any, ClassVar, Protocol

import attrs
from nio import AsyncClient

from nio_identity_server import IdentityServer, IdentityServerConfig
from nio_identity_server.base_url import parse_base_url
from nio_identity_server.client.connections import Connections
from nio_identity_server.client.homeserver import Homeserver
from nio_identity_server.client.retries import ATTEMPTS
from nio_identity_server.client.transport import Transport
from nio_identity_server.endpoint import Endpoint
from nio_identity_server.endpoints.account import GetAccount
from nio_identity_server.errors import (
    BadResponse,
    CannotConnect,
    HomeserverError,
    IdentityServerError,
    OutcomeUnknown,
)
from nio_identity_server.secret import Secret
from tests.proof.fault_matrix.answering import AnsweringServer
from tests.proof.fault_matrix.faults import Family, Fault, Place
from tests.proof.fault_matrix.samples import HOMESERVER, IDENTITY, TOKEN, USER, Sample
from tests.raw_server import Certificates

SHORT = 0.25
"""Seconds that a fault may take which only a time limit ends."""

LONG = 4.5
"""Seconds for a homeserver that has time: too few to wait after a 429 that names no time."""

Ask = Callable[[Endpoint[Any]], Awaitable[object]]
Expected = type[IdentityServerError] | None
"""What has to be raised; None for a reply."""


class Line(Protocol):
    """A way on which requests leave.

    Attributes:
        samples: The requests that take it.
    """

    samples: ClassVar[tuple[Sample, ...]]

    def open(
        self, place: Place, fault: Fault, certificates: Certificates
    ) -> AbstractAsyncContextManager[Ask]:
        """Open it, and all that it takes."""
        ...

    def expected(self, fault: Fault, sample: Sample) -> Expected:
        """What has to be raised."""
        ...

    def requests(self, fault: Fault, sample: Sample) -> range:
        """How many requests have to arrive."""
        ...


_AT_IDENTITY_SERVERS: dict[Family, Expected] = {
    Family.UNREACHABLE: CannotConnect,
    Family.BROKEN_OFF: CannotConnect,
    Family.CUT: CannotConnect,
    Family.SILENT: CannotConnect,
}
"""Of the other families, but for refusals: ``BadResponse``."""


def expected_of_identity_server(fault: Fault, sample: Sample) -> Expected:
    """What a fault of an identity server becomes."""
    if fault.family in {Family.REFUSED, Family.FAILED}:
        return fault.kind
    if sample.is_page and fault.family in {Family.NO_JSON, Family.WRONG_FORM}:
        return None
    return _AT_IDENTITY_SERVERS.get(fault.family, BadResponse)


def _exactly(number: int) -> range:
    return range(number, number + 1)


@cache  # to read all authorities takes 20 ms
def _trusting(certificates: Certificates) -> ssl.SSLContext:
    return certificates.client


@attrs.define
class _NoSettings:
    """What the sockets want to know of a nio client."""

    proxy: str | None = None
    ssl: Any = None


@attrs.frozen
class TransportLine:
    """One request to an identity server, which is sent once."""

    samples: ClassVar[tuple[Sample, ...]] = IDENTITY

    @asynccontextmanager
    async def open(
        self, place: Place, fault: Fault, certificates: Certificates
    ) -> AsyncIterator[Ask]:
        """Open connections; the token is one that the server has issued."""
        del fault
        connections = Connections(_NoSettings(), _trusting(certificates))
        transport, url = Transport(connections), parse_base_url(place.url)

        async def ask(endpoint: Endpoint[Any]) -> object:
            token = Secret(TOKEN) if endpoint.authenticated else None
            return await transport.ask(url, endpoint, trusted=True, token=token)

        try:
            yield ask
        finally:
            await connections.close()

    def expected(self, fault: Fault, sample: Sample) -> Expected:
        """As the table says."""
        return expected_of_identity_server(fault, sample)

    def requests(self, fault: Fault, sample: Sample) -> range:
        """One, whatever happens."""
        del sample
        return _exactly(0 if fault.family is Family.UNREACHABLE else 1)


@attrs.frozen
class CallLine:
    """A public call: it becomes known to the server first, and repeats what may be repeated."""

    samples: ClassVar[tuple[Sample, ...]] = IDENTITY

    @asynccontextmanager
    async def open(
        self, place: Place, fault: Fault, certificates: Certificates
    ) -> AsyncIterator[Ask]:
        """Have a user who is known to the server, unless nobody can be."""
        async with (
            AnsweringServer() as homeserver,
            identity_server(homeserver.url, place.url, certificates) as server,
        ):
            if fault.family is not Family.UNREACHABLE:
                await server.call(GetAccount())
            yield server.call

    def expected(self, fault: Fault, sample: Sample) -> Expected:
        """As the table says; and terms that are wanted, but not offered, are no good answer."""
        if fault.obstacle and sample.endpoint.authenticated and "TERMS" in fault.name:
            return BadResponse
        return expected_of_identity_server(fault, sample)

    def requests(self, fault: Fault, sample: Sample) -> range:
        """As often as a request may be repeated; twice with a token that is refused."""
        if fault.family is Family.UNREACHABLE:
            return _exactly(0)
        if fault.obstacle and sample.endpoint.authenticated:
            return _exactly(1 if "TERMS" in fault.name else 2)
        again = sample.endpoint.repeatable and fault.may_repeat
        return _exactly(ATTEMPTS if again else 1)


@asynccontextmanager
async def identity_server(
    homeserver: str, url: str, certificates: Certificates
) -> AsyncIterator[IdentityServer]:
    """The identity server at ``url``, of a user who has chosen nothing else."""
    client = AsyncClient(homeserver, USER)
    client.access_token = TOKEN
    config = IdentityServerConfig(
        default=url, sync_wait=0.01, homeserver_timeout=LONG, ssl_context=_trusting(certificates)
    )
    server = IdentityServer(client, config)
    try:
        yield server
    finally:
        await server.close()
        await client.close()


@attrs.frozen
class HomeserverLine:
    """One request to the homeserver, through a real nio client."""

    samples: ClassVar[tuple[Sample, ...]] = HOMESERVER

    @asynccontextmanager
    async def open(
        self, place: Place, fault: Fault, certificates: Certificates
    ) -> AsyncIterator[Ask]:
        """Have a client that is logged in."""
        client = AsyncClient(place.url, USER, ssl=_trusting(certificates))
        client.access_token = TOKEN
        homeserver = Homeserver(client, LONG if fault.limit is None else SHORT)
        try:
            yield homeserver.ask
        finally:
            await client.close()

    def expected(self, fault: Fault, sample: Sample) -> Expected:
        """What reads has failed; what writes may have been done, unless it was refused."""
        if fault.family in {Family.REFUSED, Family.REDIRECT}:
            return HomeserverError
        if fault.family is Family.ENCODED:
            return None  # nio asks for it, and decodes it
        return HomeserverError if sample.endpoint.repeatable else OutcomeUnknown

    def requests(self, fault: Fault, sample: Sample) -> range:
        """One, but aiohttp repeats some in secret, and nio follows redirects."""
        if fault.family is Family.UNREACHABLE:
            return _exactly(0)
        if fault.family in {Family.REDIRECT, Family.ASTRAY}:
            return range(1, 12)
        again = fault.family is Family.BROKEN_OFF and sample.endpoint.method != "POST"
        return _exactly(2 if again else 1)
