"""Inviting a list of people, each once, over as many runs as it takes."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

import attrs

from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.explanations import explain
from nio_identity_server.cli.progress_bar import Show, show_nothing
from nio_identity_server.cli.results import Form
from nio_identity_server.cli.spelling import spell
from nio_identity_server.cli.terminal import say_raw
from nio_identity_server.errors import IdentityServerError, InvalidAddress, OutcomeUnknown
from nio_identity_server.threepid import ThreePid, parse_threepid

_NAMES = ("result", "address", "user_id", "reason")
_FINAL = {"invited", "mailed", "unknown"}
"""Results that are not to be had twice."""


@attrs.define(eq=False)
class Ledger:
    """Writes down what became of each invitation, as soon as it is known.

    Attributes:
        write: Takes a line.
        form: How it is written.
        show: Told how far it came.
        counts: How often each result was had.
    """

    write: Callable[[str], object]
    form: Form
    show: Show = show_nothing
    counts: Counter[str] = attrs.field(factory=Counter)

    def note(
        self, threepid: ThreePid, user_id: str | None, error: IdentityServerError | None
    ) -> None:
        """Write down what became of one."""
        result = _result(user_id, error)
        reason = "" if error is None else explain(error)
        values = (result, spell(threepid), user_id or "", reason)
        self.write(self.form.line(dict(zip(_NAMES, values, strict=True))))
        self.counts[result] += 1
        self.show(self.counts.total(), self.counts.total())

    def summary(self, number: int) -> str:
        """What became of so many, in a few words."""
        counts = self.counts | Counter(left=number - self.counts.total())
        return (
            ", ".join(f"{count:,} {result}" for result, count in counts.items() if count)
            or "nothing to do"
        )


def _result(user_id: str | None, error: IdentityServerError | None) -> str:
    if error is None:
        return "mailed" if user_id is None else "invited"
    return "unknown" if isinstance(error, OutcomeUnknown) else "failed"


@contextmanager
def open_ledger(report: Path | None) -> Iterator[Ledger]:
    """Write down results, in a file or on standard output.

    Args:
        report: A CSV to add to. What is written down is on the disk before the next is invited.

    Raises:
        OSError: If it cannot be written.
    """
    if report is None:
        yield Ledger(say_raw, Form.TEXT)
        return
    with report.open("a", encoding="utf-8", newline="") as file:
        ledger = Ledger(partial(_append, file), Form.CSV)
        if file.tell() == 0:
            ledger.write(Form.CSV.head(_NAMES))
        yield ledger


def reported(path: Path | None) -> frozenset[ThreePid]:
    """Who is invited according to a report, or may be; nobody if there is none.

    Raises:
        Failure: If the file is no such report.
    """
    if path is None or not path.exists():
        return frozenset()
    with path.open(encoding="utf-8", newline="") as file:
        try:
            rows = list(csv.DictReader(file))
            return frozenset(_final(rows))
        except (csv.Error, KeyError, UnicodeDecodeError, InvalidAddress):
            pass
    raise Failure(f"{path} is no report of invitations", ExitCode.FAILED)


def _final(rows: Iterable[Mapping[str, str]]) -> Iterator[ThreePid]:
    for row in rows:
        if row["result"] in _FINAL:
            yield parse_threepid(row["address"])


def _append(file: TextIO, line: str) -> None:
    file.write(line)
    file.flush()
    os.fsync(file.fileno())
