"""Results as text, as JSON, and as CSV: a line each, so that nothing waits for the last."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import assert_never

import msgspec

from nio_identity_server.words import printable

Row = Mapping[str, str | None]


class Form(Enum):
    """How results are written."""

    TEXT = "text"
    """For people: the values, apart by tabs."""
    JSON = "json"
    """A JSON object in each line."""
    CSV = "csv"
    """With the names in the first line."""

    def head(self, names: tuple[str, ...]) -> str:
        """What stands before the first row; empty or a whole line."""
        return _csv_line(names) if self is Form.CSV else ""

    def line(self, row: Row) -> str:
        """One row, with the end of its line."""
        match self:
            case Form.TEXT:
                return "\t".join(printable(value or "") for value in row.values()) + "\n"
            case Form.JSON:
                return msgspec.json.encode(row).decode() + "\n"
            case Form.CSV:
                return _csv_line(value or "" for value in row.values())
        assert_never(self)


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """The form that the options of a command ask for."""
    if as_json:
        return Form.JSON
    return Form.CSV if as_csv else Form.TEXT


def _csv_line(values: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
