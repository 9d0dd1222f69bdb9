"""The corpus that is kept: a folder for each target, a small file for each input."""

from __future__ import annotations

from pathlib import Path

KEPT = Path(__file__).parent / "kept"


def kept(name: str) -> list[Path]:
    """The files of a target, in a fixed order."""
    return sorted((KEPT / name).iterdir())
