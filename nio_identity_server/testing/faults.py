"""Trouble on order: the next answers of a server, scripted by a test."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

import attrs

from nio_identity_server.testing.replies import Refusal, Reply
from nio_identity_server.testing.requests import Request

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ERRCODES = {
    401: "M_UNKNOWN_TOKEN",
    403: "M_FORBIDDEN",
    404: "M_NOT_FOUND",
    429: "M_LIMIT_EXCEEDED",
}


class Ending(enum.Enum):
    """How an exchange ends on the wire."""

    WHOLE = "the answer, complete"
    CUT = "the headers with the full length, and half of the body"
    CLOSED = "the connection is closed without an answer"
    RESET = "the connection is reset without an answer"


@attrs.frozen
class Scope:
    """Which requests something applies to; without a method and a path, to all of them.

    Attributes:
        method: Compared without regard to case.
        path: Found in the decoded path, as it stands or as a regular expression.

    Raises:
        ValueError: The method is none.
    """

    method: str | None = attrs.field(default=None)
    path: str | None = None

    @method.validator
    def _check(self, _: object, value: str | None) -> None:
        # A path in its place would fit nothing, and a test for the absence of requests would pass.
        if value is not None and value.upper() not in _METHODS:
            raise ValueError(f"{value!r} is no method of HTTP; a path goes second, or by its name")

    def covers(self, request: Request) -> bool:
        """Tell whether a request is meant."""
        if self.method is not None and self.method.upper() != request.method:
            return False
        if self.path is None or self.path in request.path:
            return True
        return re.search(self.path, request.path) is not None


@attrs.define
class Fault:
    """One piece of trouble, waiting for its requests.

    Attributes:
        scope: The requests that it strikes.
        left: How many more of them; `None` for all.
        reply: Answered without processing the request; `None` to process it as usual.
        processed: Whether the request takes effect first, when there is no `reply`.
        ending: How the exchange ends.
    """

    scope: Scope
    left: int | None
    reply: Reply | None = None
    processed: bool = False
    ending: Ending = Ending.WHOLE


class Faults:
    """The scripted trouble of a server, struck in the order in which it was ordered.

    Every `..._next` takes `times` (how many requests; `None` for all from now on), `method` and
    `path` (part of the decoded path, or a regular expression for it). A request is matched when it
    arrives, before any hold, and consumes one turn of the first fault that fits.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    @property
    def faults_left(self) -> int:
        """How many scripted faults have not struck as often as was ordered."""
        return len(self._faults)

    def clear_faults(self) -> None:
        """Forget all scripted trouble."""
        self._faults.clear()

    def reject_next(
        self,
        status: int = 403,
        errcode: str | None = None,
        error: str = "Refused on request of the test",
        *,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        """Answer with a Matrix error; nothing is processed, extra keywords join the body.

        Without an `errcode` it has the usual one of its status.
        """
        usual = _ERRCODES.get(status, "M_UNKNOWN")
        reply = Refusal(status, errcode or usual, error, **extra).reply
        reply = attrs.evolve(reply, headers={**reply.headers, **(headers or {})})
        self._faults.append(Fault(Scope(method, path), times, reply))

    def answer_next(
        self,
        status: int = 200,
        body: bytes | str = b"",
        *,
        content_type: str | None = "application/json",
        headers: Mapping[str, str] | None = None,
        chunked: bool = False,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Answer with exactly these bytes; nothing is processed."""
        typed = {} if content_type is None else {"Content-Type": content_type}
        raw = body.encode() if isinstance(body, str) else body
        reply = Reply(status, raw, {**typed, **(headers or {})}, chunked=chunked)
        self._faults.append(Fault(Scope(method, path), times, reply))

    def redirect_next(
        self,
        location: str,
        status: int = 307,
        *,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Send the client elsewhere; nothing is processed."""
        reply = Reply(status, b"", {"Location": location})
        self._faults.append(Fault(Scope(method, path), times, reply))

    def drop_next(
        self, *, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> None:
        """Close the connection without an answer; nothing is processed."""
        self._faults.append(Fault(Scope(method, path), times, ending=Ending.CLOSED))

    def reset_next(
        self, *, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> None:
        """Reset the connection (TCP RST) without an answer; nothing is processed."""
        self._faults.append(Fault(Scope(method, path), times, ending=Ending.RESET))

    def lose_next(
        self, *, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> None:
        """Process the request, then close the connection without an answer."""
        scope = Scope(method, path)
        self._faults.append(Fault(scope, times, processed=True, ending=Ending.CLOSED))

    def cut_next(
        self, *, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> None:
        """Process the request, then send only half of the answer's body and close."""
        scope = Scope(method, path)
        self._faults.append(Fault(scope, times, processed=True, ending=Ending.CUT))

    def _take_fault(self, request: Request) -> Fault | None:
        for fault in self._faults:
            if fault.scope.covers(request):
                self._strike(fault)
                return fault
        return None

    def _strike(self, fault: Fault) -> None:
        if fault.left is None:
            return
        fault.left -= 1
        if fault.left <= 0:
            self._faults.remove(fault)
