"""Secrets that must never show, and where they are looked for."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

_MOST_EXCEPTIONS = 20  # of one test: printing the local variables of every frame takes time


def assert_no_secret(error: BaseException, secrets: Iterable[str]) -> None:
    """Make sure that an exception tells none of the secrets, however it is printed.

    Looked through are its text and ``repr``, ``args``, ``__dict__`` and notes, and those of all
    that it holds as cause or context; and the traceback as the most talkative of loggers prints
    it, with the local variables of every frame.
    """
    told = "\n".join(_told_by(error))
    found = [secret for secret in secrets if secret in told]
    assert not found, f"{type(error).__name__} tells {len(found)} secret(s)"


def _told_by(error: BaseException) -> Iterator[str]:
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or any(one is other for other in seen):
            continue
        seen.append(one)
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))
        left += [one.__cause__, one.__context__]
        left += [part for part in one.args if isinstance(part, BaseException)]
        left += [part for part in vars(one).values() if isinstance(part, BaseException)]
        # Not chained on purpose: a context that `from None` hides is walked all the same.
        shown = traceback.TracebackException.from_exception(one, capture_locals=True)
        yield "".join(shown.format())


class LogTrap(logging.Handler):
    """Keeps the text of every log record, as it would have been printed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        # nio logs whole responses at DEBUG, access tokens of its own login among them: that is
        # nio's doing and was so before this package, which can only keep its bodies away from it.
        self.addFilter(lambda record: record.name.partition(".")[0] != "nio")

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record into memory: message, traceback and stack."""
        self.lines.append(f"{record.name}: {self.format(record)}")


@attrs.define(eq=False, repr=False)  # its own locals must not show what it watches for
class Canaries:
    """The secrets of one test, and what was seen of them.

    Attributes:
        logged: Everything that was logged.
        homeserver_tokens: Access tokens of homeservers: no identity server may receive one.
        others: More that must not be logged; a test may add its own.
        excused: Why this test sends tokens to servers that they are not for, or None.
    """

    logged: LogTrap = attrs.field(factory=LogTrap)
    homeserver_tokens: set[str] = attrs.field(factory=set)
    others: set[str] = attrs.field(factory=set)
    excused: str | None = None
    _servers: list[Any] = attrs.field(factory=list)
    _received: list[bytes] = attrs.field(factory=list)
    _foreign: list[str] = attrs.field(factory=list)
    _told: list[str] = attrs.field(factory=list)

    def excuse(self, reason: str) -> None:
        """Let this test send tokens astray: it tests the servers' own guard against that."""
        self.excused = reason

    def watch(self, server: Any) -> None:
        """Look at a server at the end of the test."""
        self._servers.append(server)

    def note(self, server: Any) -> None:
        """Remember what an identity server has received, before it forgets that."""
        self._received.append(bytes(getattr(server, "raw_bytes", b"")))
        self._foreign.extend(getattr(server, "foreign_tokens", ()))

    def caught(self, error: BaseException) -> None:
        """Remember all that an exception tells which comes out of a public call."""
        if len(self._told) < _MOST_EXCEPTIONS:
            self._told.append("\n".join(_told_by(error)))

    def check(self) -> None:
        """Make sure that no secret went where it must not go."""
        issued: list[set[str]] = []
        for server in self._servers:
            issued.append(set(getattr(server, "tokens", ())))
            self.others.update(issued[-1], getattr(server, "openid_tokens", ()))
            if hasattr(server, "foreign_tokens"):
                self.note(server)
        log = "\n".join(self.logged.lines)
        shown = [each for each in self.homeserver_tokens | self.others if each in log]
        assert not shown, f"{len(shown)} secret(s) stand in the log"
        told = "\n".join(self._told)
        shown = [each for each in self.homeserver_tokens | self.others if each in told]
        assert not shown, f"an exception tells {len(shown)} secret(s)"
        if self.excused is None:
            self._check_servers(set().union(*issued))

    def _check_servers(self, issued: set[str]) -> None:
        received = b"\n".join(self._received)
        astray = [token for token in self.homeserver_tokens if token.encode() in received]
        assert not astray, f"{len(astray)} homeserver token(s) reached an identity server"
        swapped = issued.intersection(self._foreign)
        assert not swapped, f"{len(swapped)} token(s) of one identity server reached another"
