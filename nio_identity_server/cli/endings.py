"""How a command ends: a line that says why, and an exit code that a script can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import click

from nio_identity_server.cli import terminal


class ExitCode(IntEnum):
    """What a script is told; ``docs/command-line.md`` has the same list."""

    DONE = 0
    """It was done."""
    FAILED = 1
    """A file could not be read or written."""
    USAGE = 2
    """The command line, an address or a URL is wrong."""
    HOMESERVER = 3
    """There is no login, or the homeserver refused, or did not answer."""
    NO_SERVER = 4
    """The user wants no identity server, or has none."""
    TERMS = 5
    """The identity server has terms that are not accepted."""
    NO_ANSWER = 6
    """The identity server could not be reached, or answered something that cannot be used."""
    REFUSED = 7
    """The identity server refused."""
    UNKNOWN = 8
    """It may have been done, or not: nobody knows."""
    CHANGED = 9
    """The user's choice changed meanwhile."""
    PARTLY = 10
    """Some of it was done, and some of it was not."""
    LATER = 11
    """A server asks for patience: try again later."""
    INTERRUPTED = 130
    """It was interrupted, by Ctrl-C."""
    TERMINATED = 143
    """It was ended from outside, by SIGTERM."""


class Terminated(KeyboardInterrupt):
    """Somebody ends the program; an event loop lets it through as it does its ancestor."""


class Failure(click.ClickException):
    """Ends the program with one line on standard error.

    Attributes:
        exit_code: What a script is told.
        details: More lines, with ``--verbose``.
    """

    def __init__(self, message: str, code: ExitCode, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc] # click's own way, but not its type
        self.details = details

    def show(self, file: Any = None) -> None:
        """Write it where errors belong."""
        terminal.note(f"{terminal.red('error:')} {self.message}", file)
        for line in self.details:
            terminal.note(f"       {line}", file)


def finish(code: ExitCode) -> None:
    """End the program with this code."""
    click.get_current_context().exit(int(code))


@contextmanager
def fails_in_one_line() -> Iterator[None]:
    """Turn what ends a command into a line and an exit code.

    Raises:
        Failure: In place of it.
    """
    try:
        yield
    except Terminated:
        ending = Failure("terminated", ExitCode.TERMINATED)
    except (KeyboardInterrupt, click.Abort):
        ending = Failure("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        raise  # click ends quietly when nobody reads any more
    except OSError as error:
        ending = Failure(str(error), ExitCode.FAILED)  # it names the file
    else:
        return
    raise ending
