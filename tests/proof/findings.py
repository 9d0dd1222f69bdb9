"""What a proof found, in a file of its own.

``.proof/<name>.json`` holds ``{"proof": str, "target": str, "figures": {name: value}}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / ".proof"

Value = int | float | str | bool | None


class Finding(msgspec.Struct, frozen=True):
    """What one proof found.

    Attributes:
        proof: Its name, the heading on the page.
        target: What was to be shown, one sentence.
        figures: What was found.
    """

    proof: str
    target: str
    figures: dict[str, Value]


def write(proof: str, target: str, figures: Mapping[str, Value], folder: Path = FOLDER) -> None:
    """Keep what a proof found, in place of what it found before."""
    folder.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", proof.lower())
    content = json.dumps({"proof": proof, "target": target, "figures": dict(figures)}, indent=2)
    (folder / f"{name}.json").write_text(content + "\n", encoding="utf-8")


def read_all(folder: Path = FOLDER) -> list[Finding]:
    """Read what all proofs found, in the order of their files' names.

    Raises:
        ValueError: A file is not of this form.
    """
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Finding:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Finding)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path.name} is no finding of a proof: {error}") from None
