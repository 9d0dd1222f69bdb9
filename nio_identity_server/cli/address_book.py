"""The addresses that a command is given: in its arguments, in a file, or on standard input."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TextIO

import attrs
import click

from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.errors import InvalidAddress
from nio_identity_server.threepid import ThreePid, parse_threepid

_COLUMNS = ("email", "address", "phone", "msisdn")
"""The columns that are taken unasked: the first of these that there is."""

_DELIMITERS = ",;\t"
_STANDARD_INPUT = Path("-")

_BYTE_ORDER_MARK = "\ufeff"

_MISSING = "(none)"
"""Stands for an address that a row does not have: it is counted with what is no address."""

MOST_LINES = 10
"""Lines that are named."""


@attrs.frozen
class Entry:
    """One address.

    Attributes:
        line: Where it stands, counted from 1.
        text: What stands there.
    """

    line: int
    text: str = attrs.field(repr=False)


@attrs.frozen(eq=False)
class AddressBook:
    """Addresses, read as they are needed.

    Attributes:
        entries: The addresses, without blank ones.
        size: How many bytes there are to read; None if nobody knows.
        position: Tells how many were read.
    """

    entries: Iterator[Entry]
    size: int | None
    position: Callable[[], int]


@contextmanager
def open_address_book(
    arguments: tuple[str, ...], file: Path | None, column: str | None
) -> Iterator[AddressBook]:
    """Open the addresses of a command.

    Args:
        arguments: Addresses on the command line.
        file: A file with an address in each line, or a CSV. ``-`` is standard input, and so is
            None if there are no arguments.
        column: The name of the column of a CSV.

    Raises:
        Failure: If a file is not what it should be; also while the entries are read.
        click.UsageError: If there are no addresses, or too many kinds of them.
    """
    if arguments:
        if file is not None or column is not None:
            raise click.UsageError("addresses come from the command line or from a file, not both")
        given = [Entry(place, text) for place, text in enumerate(arguments, 1)]
        yield AddressBook(iter(given), None, lambda: 0)
    elif file is None or file == _STANDARD_INPUT:
        if file is None and sys.stdin.isatty():
            raise click.UsageError("no addresses: name some, or --file FILE, or --file - to type")
        entries = _entries(sys.stdin, "standard input", column, is_csv=column is not None)
        yield AddressBook(entries, None, lambda: 0)
    else:
        with file.open("rb") as raw:
            stream = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            is_csv = column is not None or file.suffix.lower() == ".csv"
            entries = _entries(stream, str(file), column, is_csv=is_csv)
            if raw.seekable():
                yield AddressBook(entries, file.stat().st_size, raw.tell)
            else:  # a pipe
                yield AddressBook(entries, None, lambda: 0)


def _entries(stream: TextIO, name: str, column: str | None, *, is_csv: bool) -> Iterator[Entry]:
    """The addresses of a text, and a word about what is wrong with it."""
    read = _of_csv(stream, name, column) if is_csv else _of_lines(stream)
    trouble = ""
    try:
        for entry in read:
            if entry.text:
                yield entry
    except UnicodeDecodeError:
        trouble = "it is not UTF-8"
    except csv.Error as error:
        trouble = f"it is no CSV: {error}"
    if trouble:
        raise Failure(f"{name} cannot be read: {trouble}", ExitCode.FAILED)


def _of_lines(stream: TextIO) -> Iterator[Entry]:
    for number, line in enumerate(stream, 1):
        yield Entry(number, line.removeprefix(_BYTE_ORDER_MARK).strip())


def _of_csv(stream: TextIO, name: str, column: str | None) -> Iterator[Entry]:
    head = stream.readline().removeprefix(_BYTE_ORDER_MARK)
    delimiter = max(_DELIMITERS, key=head.count)
    rows = csv.reader(chain([head], stream), delimiter=delimiter)
    place = _place([cell.strip() for cell in next(rows, [])], column, name)
    for row in rows:
        text = row[place].strip() if place < len(row) else ""
        # A row of blanks is no person; one that has something else is, and lacks an address.
        if any(row):
            yield Entry(rows.line_num, text or _MISSING)


def _place(header: list[str], column: str | None, name: str) -> int:
    """Which column has the addresses."""
    folded = [cell.casefold() for cell in header]
    for wanted in _COLUMNS if column is None else (column.casefold(),):
        if wanted in folded:
            return folded.index(wanted)
    columns = ", ".join(map(repr, header))
    raise Failure(f"{name}: name the column with --column, one of {columns}", ExitCode.USAGE)


def read_threepids(entries: Iterable[Entry]) -> list[ThreePid]:
    """Read all addresses, each once.

    Raises:
        Failure: If there are some that are none; it tells the lines, and not what stands there.
    """
    found, bad = dict[ThreePid, None](), list[int]()
    for entry in entries:
        try:
            found[parse_threepid(entry.text)] = None
        except InvalidAddress:
            bad.append(entry.line)
    if bad:
        raise Failure(f"not addresses: {lines_text(bad)}; nothing was sent", ExitCode.USAGE)
    return list(found)


def lines_text(lines: Sequence[int], number: int | None = None) -> str:
    """Where something stands, in few words: ``lines 4, 7, ...``.

    Args:
        lines: The numbers of the first lines.
        number: How many there are, if that is more.
    """
    shown = ", ".join(map(str, lines[:MOST_LINES]))
    number = len(lines) if number is None else number
    more = ", ..." if number > min(len(lines), MOST_LINES) else ""
    return f"{'line' if number == 1 else 'lines'} {shown}{more}"
