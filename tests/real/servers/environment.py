"""Where the real servers are installed, and the one question whether they are."""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
FOLDER = CHECKOUT / ".real"
PYTHON = FOLDER / "bin" / "python"
PINS = CHECKOUT / "constraints" / "real.txt"
DATABASE = FOLDER / "empty-homeserver.db"
"""Synapse's database as it is after a first start: a copy saves every later start its schema."""

_STAMP = FOLDER / "installed.txt"


def recipe() -> str:
    """Say what the environment is made of; another recipe means that it must be made anew."""
    return f"python {sys.version_info.major}.{sys.version_info.minor}\n{PINS.read_text()}"


def is_installed() -> bool:
    """Tell whether the environment is complete and made of the present pins."""
    return _STAMP.is_file() and _STAMP.read_text() == recipe()


def mark_installed() -> None:
    """Note that everything is in place; the last step of an installation."""
    _STAMP.write_text(recipe())
