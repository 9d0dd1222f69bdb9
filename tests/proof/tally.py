"""What a proof has looked at, in numbers for the page of proofs."""

from __future__ import annotations

from collections import Counter

import attrs

from tests.proof import findings


@attrs.define
class Tally:
    """Counts what one proof looks at, and keeps the numbers for the page.

    Attributes:
        name: The proof.
        targets: How many of each there should be.
        counts: How many there were.
    """

    name: str
    targets: dict[str, int]
    counts: Counter[str] = attrs.field(factory=Counter)

    def add(self, what: str, number: int = 1) -> None:
        """Count something."""
        self.counts[what] += number

    def write(self) -> None:
        """Keep the numbers of a whole run: one of some tests only does not reach its targets."""
        if any(self.counts[what] < number for what, number in self.targets.items()):
            return
        wanted = ", ".join(f"{number:,} {what}" for what, number in self.targets.items())
        findings.write(self.name, f"At least {wanted}.", dict(sorted(self.counts.items())))
