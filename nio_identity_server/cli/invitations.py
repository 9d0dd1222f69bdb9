"""Inviting a list of people, each once, over as many runs as it takes."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import attrs

from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.explanations import explain
from nio_identity_server.cli.progress_bar import Show, show_nothing
from nio_identity_server.cli.results import Form
from nio_identity_server.cli.spelling import spell
from nio_identity_server.cli.terminal import say_raw
from nio_identity_server.client.private_file import lock, open_private
from nio_identity_server.errors import IdentityServerError, InvalidAddress
from nio_identity_server.flows.invitation import PERHAPS_DONE
from nio_identity_server.threepid import ThreePid, parse_threepid

_NAMES = ("result", "room_id", "address", "user_id", "reason")
_BEGUN, _FAILED = "begun", "failed"
# Only what failed may be tried again: all else was done, or may have been, what was begun too.


@attrs.define(eq=False)
class Ledger:
    """Writes down what is about to be done, and what became of it.

    Attributes:
        room_id: The room.
        write: Takes a line.
        form: How it is written.
        before: Who is invited according to an earlier run, or may be.
        notes_attempts: Whether attempts are written down too.
        show: Told how far it came.
        counts: How often each result was had.
    """

    room_id: str
    write: Callable[[str], object]
    form: Form
    before: frozenset[ThreePid] = frozenset()
    notes_attempts: bool = False
    show: Show = show_nothing
    counts: Counter[str] = attrs.field(factory=Counter)

    def note_attempt(self, threepid: ThreePid) -> None:
        """Write down what is about to be done: whatever ends the program then, it is known."""
        if self.notes_attempts:
            self._note(_BEGUN, threepid)

    def note_result(
        self, threepid: ThreePid, user_id: str | None, error: IdentityServerError | None
    ) -> None:
        """Write down what became of it."""
        result = _result(user_id, error)
        self._note(result, threepid, user_id or "", "" if error is None else explain(error))
        self.counts[result] += 1
        self.show(self.counts.total(), self.counts.total())

    def summary(self, number: int) -> str:
        """What became of so many, in a few words."""
        counts = self.counts | Counter(left=number - self.counts.total())
        told = [f"{count:,} {result}" for result, count in counts.items() if count]
        return ", ".join(told) or "nothing to do"

    def _note(self, result: str, threepid: ThreePid, user_id: str = "", reason: str = "") -> None:
        values = (result, self.room_id, spell(threepid), user_id, reason)
        self.write(self.form.line(dict(zip(_NAMES, values, strict=True))))


def _result(user_id: str | None, error: IdentityServerError | None) -> str:
    if error is None:
        return "mailed" if user_id is None else "invited"
    return "unknown" if isinstance(error, PERHAPS_DONE) else _FAILED


@contextmanager
def open_ledger(report: Path | None, room_id: str) -> Iterator[Ledger]:
    """Write down results, in a file or on standard output.

    Args:
        report: A CSV to add to, and to learn from. What is written down is on the disk before
            anything else is done.
        room_id: The room that it is about; a report may hold several.

    Raises:
        Failure: If the file is no report, or another run uses it.
        OSError: If it cannot be written.
    """
    if report is None:
        yield Ledger(room_id, say_raw, Form.TEXT)
        return
    with open_private(report, "a+b") as file:
        lock(file, report)
        text = _whole_lines(file, report)
        ledger = Ledger(
            room_id,
            partial(_append, file),
            Form.CSV,
            _known(text, report, room_id),
            notes_attempts=True,
        )
        if not text:
            ledger.write(Form.CSV.head(_NAMES))
        yield ledger


def _whole_lines(file: IO[bytes], report: Path) -> str:
    """What stands there; a last line that was cut off, with the program or the disk, is removed.

    Nothing is lost with it: it was not on the disk when the program went on.
    """
    file.seek(0)
    data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    try:
        text = whole.decode()
    except UnicodeDecodeError:
        raise _no_report(report) from None
    if data and not text.startswith(Form.CSV.head(_NAMES)):
        raise _no_report(report)
    file.truncate(len(whole))
    return text


def _known(text: str, report: Path, room_id: str) -> frozenset[ThreePid]:
    """Who is invited into the room, or may be."""
    latest: dict[ThreePid, str] = {}
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in rows:
            if row["room_id"] == room_id:
                latest[parse_threepid(row["address"])] = row["result"]
    except (csv.Error, InvalidAddress):
        raise _no_report(report) from None
    return frozenset(each for each, result in latest.items() if result != _FAILED)


def _no_report(report: Path) -> Failure:
    return Failure(f"{report} is no report of invitations", ExitCode.FAILED)


def _append(file: IO[bytes], line: str) -> None:
    file.write(line.encode())
    file.flush()
    os.fsync(file.fileno())
