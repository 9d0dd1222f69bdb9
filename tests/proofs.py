"""What a long proof has shown, kept in ``.proof`` for the page of the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.environments import CHECKOUT

FOLDER = CHECKOUT / ".proof"


def keep(name: str, *, proof: str, target: str, figures: Mapping[str, Any]) -> None:
    """Write down the figures of a proof.

    Args:
        name: The file's name, without ``.json``.
        proof: What was done, in a sentence.
        target: What had to hold.
        figures: What was counted or measured, by its name.
    """
    FOLDER.mkdir(exist_ok=True)
    content = {"proof": proof, "target": target, "figures": dict(figures)}
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
