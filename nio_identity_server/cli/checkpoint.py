"""Where results go: to standard output, or to a file that can be gone on with.

Beside such a file stands another, ``FILE.progress``, that says how far it came. It is replaced as a
whole after the results have reached the disk. So whatever ends the program, both together are true:
what the results have more than it says is cut off, and written once more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import attrs
import msgspec

from nio_identity_server.cli.endings import ExitCode, Failure
from nio_identity_server.cli.terminal import say_raw
from nio_identity_server.client.private_file import lock, open_private, replace_private_file


@attrs.frozen
class Progress:
    """How far a lookup came.

    Attributes:
        entries: How many addresses are done.
        digest: SHA-256 of them, so that another list is noticed.
        found: How many of them are on Matrix.
        invalid: How many of them are no addresses.
        server: The base URL of the identity server that was asked.
        form: How the results are written.
        size: How many bytes of results there are.
    """

    entries: int = 0
    digest: str = ""
    found: int = 0
    invalid: int = 0
    server: str = ""
    form: str = ""
    size: int = 0


class Sink(Protocol):
    """Takes results.

    Attributes:
        begun: How far an earlier run came.
    """

    @property
    def begun(self) -> Progress:
        """How far an earlier run came."""
        ...

    def write(self, text: str) -> None:
        """Take some results."""
        ...

    def commit(self, progress: Progress) -> None:
        """Keep what was written, and how far that is."""
        ...

    def finish(self) -> None:
        """Note that these are all."""
        ...


@attrs.frozen
class StandardOutput:
    """Results for whoever reads them, at once."""

    begun: Progress = Progress()

    def write(self, text: str) -> None:
        """Show them."""
        say_raw(text)

    def commit(self, progress: Progress) -> None:
        """They are gone already."""

    def finish(self) -> None:
        """There is nothing to note."""


@attrs.frozen(eq=False)
class ResumableFile:
    """Results in a file, and beside it how far they go.

    Attributes:
        path: The file.
        begun: How far an earlier run came.
    """

    path: Path
    begun: Progress
    _file: IO[bytes]

    def write(self, text: str) -> None:
        """Take some results."""
        self._file.write(text.encode())

    def commit(self, progress: Progress) -> None:
        """Bring them to the disk, then say so."""
        self._file.flush()
        os.fsync(self._file.fileno())
        noted = attrs.evolve(progress, size=self._file.tell())
        replace_private_file(_beside(self.path), msgspec.json.encode(noted).decode())

    def finish(self) -> None:
        """Nothing is left to go on with."""
        _beside(self.path).unlink(missing_ok=True)


@contextmanager
def open_sink(path: Path | None, *, resume: bool) -> Iterator[Sink]:
    """Begin to write results, or go on with it.

    Args:
        path: A file, or None for standard output.
        resume: Whether to go on with the file, if there is one.

    Raises:
        Failure: If the file is there and not to be gone on with.
        OSError: If it cannot be written.
    """
    if path is None:
        yield StandardOutput()
        return
    begun = _read(_beside(path))
    if begun is not None and not resume:
        raise _is_there(path, "--resume goes on with it")
    try:
        file = open_private(path, "xb" if begun is None else "r+b")
    except FileExistsError:
        raise _is_there(path, "remove it or name another") from None
    with file:
        lock(file, path)
        sink = ResumableFile(path, begun or Progress(), file)
        file.truncate(sink.begun.size)
        file.seek(sink.begun.size)
        try:
            sink.commit(sink.begun)
            yield sink
        finally:
            if _read(_beside(path)) == Progress():  # nothing was done: the next run is the first
                path.unlink()
                sink.finish()


def _is_there(path: Path, hint: str) -> Failure:
    return Failure(f"{path} is there already: {hint}", ExitCode.FAILED)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.progress")


def _read(path: Path) -> Progress | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Progress)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        reason = f"{path} does not say how far the lookup came: {error}"
    raise Failure(reason, ExitCode.FAILED)
