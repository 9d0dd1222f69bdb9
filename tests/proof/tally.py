"""What a proof has looked at, in numbers that a page of the manual can be written from."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import attrs

FOLDER = Path(__file__).parents[2] / ".proof"


@attrs.define
class Tally:
    """Counts what one proof looks at, and keeps the numbers in ``.proof/<name>.json``.

    Attributes:
        name: The proof.
        targets: How many of each there should be; of a run of some tests only, there are fewer.
        counts: How many there were.
    """

    name: str
    targets: dict[str, int]
    counts: Counter[str] = attrs.field(factory=Counter)

    def add(self, what: str, number: int = 1) -> None:
        """Count something."""
        self.counts[what] += number

    def write(self) -> None:
        """Keep the numbers, each with its target if it has one."""
        FOLDER.mkdir(exist_ok=True)
        figures = {
            what: {"count": count, "target": self.targets.get(what)}
            for what, count in sorted(self.counts.items())
        }
        text = json.dumps(figures, indent=2)
        (FOLDER / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")
