"""Reading the addresses that a command is given."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click
import pytest

from nio_identity_server.cli.address_book import (
    Entry,
    lines_text,
    open_address_book,
    read_threepids,
)
from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.threepid import email, msisdn


def read(path: Path, column: str | None = None) -> list[tuple[int, str]]:
    """Read a whole file."""
    with open_address_book((), path, column) as book:
        return [(entry.line, entry.text) for entry in book.entries]


def written(folder: Path, data: bytes, name: str = "list.txt") -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data)
    return path


def test_arguments() -> None:
    """Addresses on the command line are counted like lines."""
    with open_address_book(("a@x.test", "+49151"), None, None) as book:
        assert list(book.entries) == [Entry(1, "a@x.test"), Entry(2, "+49151")]
        assert (book.size, book.position()) == (None, 0)


def test_lines(tmp_path: Path) -> None:
    """An address in each line; blank ones are left out, and a byte order mark is none of it."""
    data = "\ufeffa@x.test\r\n\n  b@x.test  \n+49 151".encode()

    assert read(written(tmp_path, data)) == [(1, "a@x.test"), (3, "b@x.test"), (4, "+49 151")]


@pytest.mark.parametrize(
    ("text", "column", "found"),
    [
        ("name,email\nA,a@x.test\nB,b@x.test\n", None, [(2, "a@x.test"), (3, "b@x.test")]),
        ("Name;E-Mail\nA; a@x.test \n", "e-mail", [(2, "a@x.test")]),
        ("phone\temail\n+1\ta@x.test\n", None, [(2, "a@x.test")]),
        ("phone\n+1\n\n+2\n", None, [(2, "+1"), (4, "+2")]),
        ("phone,email\n+1,a@x.test\n", "phone", [(2, "+1")]),
        ("name,email\nA\n,\nB,b@x.test\n", None, [(2, "(none)"), (4, "b@x.test")]),
        ("\ufeff\ufeffemail\na@x.test\n", None, [(2, "a@x.test")]),
        ('name,email\n"A\nB",a@x.test\n', None, [(3, "a@x.test")]),
    ],
)
def test_csv(tmp_path: Path, text: str, column: str | None, found: list[tuple[int, str]]) -> None:
    """A column by its name, whatever stands between the cells; lines are those of the file."""
    assert read(written(tmp_path, text.encode(), "list.CSV"), column) == found


def test_a_csv_by_another_name(tmp_path: Path) -> None:
    """Whoever names a column has a CSV."""
    assert read(written(tmp_path, b"who\na@x.test\n"), "who") == [(2, "a@x.test")]


def test_a_csv_without_a_known_column(tmp_path: Path) -> None:
    """The columns that there are stand in the message."""
    path = written(tmp_path, b"who,where\na@x.test,there\n", "list.csv")
    with pytest.raises(Failure, match=r"name the column with --column, one of 'who', 'where'"):
        read(path)


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"a@x.test\n\xff\xfe@x.test\n", "list.txt", "it is not UTF-8"),
        (b"email\n" + b"x" * 200_000, "list.csv", "it is no CSV: field larger than"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, data: bytes, name: str, message: str) -> None:
    """The message names the file, and repeats nothing of it."""
    with pytest.raises(Failure, match=message) as caught:
        read(written(tmp_path, data, name))

    assert caught.value.exit_code == ExitCode.FAILED
    assert name in str(caught.value.message)
    assert "x.test" not in caught.value.message


def test_an_empty_csv(tmp_path: Path) -> None:
    """Without a header there is no column."""
    with pytest.raises(Failure, match="name the column"):
        read(written(tmp_path, b"", "list.csv"))


def test_how_far_a_file_was_read(tmp_path: Path) -> None:
    """The bar goes by bytes: nobody counts the lines of a large file first."""
    path = written(tmp_path, b"a@x.test\n" * 10_000)
    with open_address_book((), path, None) as book:
        assert (book.size, book.position()) == (90_000, 0)
        next(book.entries)
        assert 0 < book.position() < 90_000
        list(book.entries)
        assert book.position() == 90_000


@pytest.mark.parametrize("file", [None, Path("-")])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, file: Path | None) -> None:
    """It is read when no addresses are named, and by the name ``-``."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("a@x.test\n"))
    with open_address_book((), file, None) as book:
        assert (list(book.entries), book.size, book.position()) == ([Entry(1, "a@x.test")], None, 0)


@pytest.mark.parametrize("given", [{"file": Path("x")}, {"column": "email"}])
def test_two_kinds_of_addresses(given: dict[str, object]) -> None:
    """Addresses come from one place."""
    options = {"file": None, "column": None} | given
    with (
        pytest.raises(click.UsageError, match="not both"),
        open_address_book(("a@x.test",), **options),  # type: ignore[arg-type]
    ):
        pass


def test_threepids() -> None:
    """Each address once, in whatever spelling."""
    entries = [Entry(1, "A@x.test"), Entry(2, "+49 151"), Entry(3, "a@X.test")]

    assert read_threepids(entries) == [email("a@x.test"), msisdn("49151")]


def test_threepids_that_are_none() -> None:
    """The lines are told, and not what stands there."""
    entries = [Entry(1, "a@x.test"), Entry(4, "secret"), Entry(7, "other")]
    with pytest.raises(Failure, match=r"^not addresses: lines 4, 7; nothing was sent$"):
        read_threepids(entries)


def test_lines_in_words() -> None:
    """Ten at most are named."""
    assert lines_text([4]) == "line 4"
    assert lines_text([4, 7]) == "lines 4, 7"
    assert lines_text(list(range(1, 13))) == "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..."
    assert lines_text([3], 5) == "lines 3, ..."
