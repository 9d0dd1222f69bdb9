"""A server that gives good answers, except to the one request that it is told to fail."""

from __future__ import annotations

import ssl
from urllib.parse import unquote

from tests.proof.fault_matrix.samples import HOMESERVER, IDENTITY, Sample
from tests.raw_server import RawServer, Script, Step, answer

Call = tuple[str, str]
"""Method and decoded path, without a query."""


class AnsweringServer(RawServer):
    """Answers every request of the specification, as an identity server and as a homeserver.

    Args:
        tls: The server's side of TLS, or None.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self._good = {call_of(each): each.good for each in (*IDENTITY, *HOMESERVER)}
        self._failing: dict[Call, tuple[Step, ...]] = {}

    def fail(self, call: Call, script: Script) -> None:
        """Play this to these requests from now on."""
        self._failing[call] = tuple(script)

    def recover(self) -> None:
        """Give good answers to everything from now on."""
        self._failing.clear()

    def count(self, call: Call) -> int:
        """How many of these requests have arrived."""
        return sum(_call(each) == call for each in self.requests)

    def _next_script(self) -> tuple[Step, ...]:
        call = _call(self.requests[-1])
        return self._failing.get(call) or (answer(self._good.get(call, b"{}")),)


def call_of(sample: Sample) -> Call:
    """What the requests of a sample have in common."""
    return sample.endpoint.method, _path(sample.endpoint.target)


def _call(request: bytes) -> Call:
    method, target, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
    return method, _path(target)


def _path(target: str) -> str:
    """The path, however the client's library encodes it."""
    return unquote(target.partition("?")[0])
