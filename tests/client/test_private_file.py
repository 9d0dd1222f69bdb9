from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nio_identity_server.client.private_file import replace_private_file


def test_replaced(tmp_path: Path) -> None:
    """The new text is there, for nobody but the owner, and nothing else is left."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    replace_private_file(path, "neü")

    assert path.read_text(encoding="utf-8") == "neü"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_failed(tmp_path: Path) -> None:
    """What cannot be written leaves the old text, and no other file.

    That a full disk does the same is shown in ``test_tokens``.
    """
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace_private_file(path, "new \ud800")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
