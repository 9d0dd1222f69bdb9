"""Files that only their owner can read, written as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


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
