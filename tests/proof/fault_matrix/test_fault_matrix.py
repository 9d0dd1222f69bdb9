"""Whatever a server does wrong, at whichever endpoint: one of our errors, soon, and no secret."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import stamina

from nio_identity_server.client.retries import ATTEMPTS
from tests.canaries import Canaries
from tests.proof.fault_matrix.at_connecting import CONNECTING, NOWHERE
from tests.proof.fault_matrix.cells import Matrix
from tests.proof.fault_matrix.faults import Fault
from tests.proof.fault_matrix.in_bodies import BODIES
from tests.proof.fault_matrix.in_framing import FRAMING
from tests.proof.fault_matrix.in_meaning import MEANING
from tests.proof.fault_matrix.lines import (
    CallLine,
    HomeserverLine,
    Line,
    TransportLine,
)
from tests.proof.fault_matrix.samples import (
    HOMESERVER,
    IDENTITY,
    SECRETS,
    every_endpoint,
)
from tests.proof.tally import Tally
from tests.raw_server import Certificates

FAULTS = (*CONNECTING, *FRAMING, *BODIES, *MEANING)
LINES: dict[str, Line] = {
    "transport": TransportLine(),
    "call": CallLine(),
    "homeserver": HomeserverLine(),
}


@pytest.fixture(name="tally", scope="module")
def _tally() -> Iterator[Tally]:
    tally = Tally("Fault matrix", {"cells": 2000, "faults": 50})
    yield tally
    tally.write()


@pytest.fixture(name="_unknown_name")
def _unknown_name_(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name does not exist; whether others do is none of our business."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == NOWHERE:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return original(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(name="_no_waits")
def _no_waits_() -> Iterator[None]:
    """Nobody waits between two attempts, but there are as many."""
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


def _listed(wrong: dict[str, str]) -> str:
    """One line for each cell that is not as it should be."""
    return "\n" + "\n".join(f"{name}: {what}" for name, what in wrong.items())


def test_no_endpoint_is_forgotten() -> None:
    """Whoever adds an endpoint adds a sample of it, with which it is tested here."""
    assert {type(each.endpoint) for each in (*IDENTITY, *HOMESERVER)} == set(every_endpoint())


@pytest.mark.parametrize("sample", [*IDENTITY, *HOMESERVER], ids=lambda each: str(each.name))
def test_the_good_replies_are_good(sample: Any) -> None:
    """What is made worse in the matrix is good before that."""
    sample.endpoint.read(sample.good)


def test_faults_have_names_of_their_own() -> None:
    """A cell that fails is found by its name."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.usefixtures("_unknown_name", "_no_waits")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
async def test_a_fault_at_every_endpoint(
    canaries: Canaries, certificates: Certificates, tally: Tally, line: Line, fault: Fault
) -> None:
    """The error, the number of requests, the connection, secrets, time and memory.

    After a call the server recovers, and the same call works.
    """
    canaries.others.update(SECRETS)
    matrix = Matrix(line, fault, certificates)

    tally.add("cells", await matrix.run())
    tally.add("faults", line is LINES["transport"])
    assert not matrix.wrong, _listed(matrix.wrong)
