"""Files that only their owner can read, written as a whole or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO


def replace_private_file(path: Path, text: str) -> None:
    """Write a file of mode 0600; it holds the old text or the new one, never half of one.

    Raises:
        OSError: If it cannot be written; it is as it was.
    """
    # mkstemp creates the file with O_EXCL and mode 0600, whatever the umask is.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def open_private(path: Path, mode: str) -> IO[bytes]:
    """Open a file in binary mode; one that is made now can be read by its owner only."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CLOEXEC, 0o600)

    return open(path, mode, opener=opener)


def lock(file: IO[bytes], path: Path) -> None:
    """Make sure that no other process works with an open file, until it is closed.

    Raises:
        OSError: If another one does.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(f"{path} is in use by another program") from None
