"""A figure, its target, and the table of all of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import attrs


@attrs.frozen
class Figure:
    """One thing that was measured several times.

    Attributes:
        name: What.
        target: The most that the median may be.
        unit: Of the target and the samples.
        samples: What was measured.
    """

    name: str
    target: float
    unit: str
    samples: Sequence[float] = attrs.field(repr=False)

    @property
    def median(self) -> float:
        """The figure that counts: one slow round of a busy machine does not move it."""
        return statistics.median(self.samples)

    @property
    def is_met(self) -> bool:
        """Whether the target is kept."""
        return self.median <= self.target

    @property
    def row(self) -> tuple[str, ...]:
        """The figure in the columns of the table."""
        values = (min(self.samples), self.median, max(self.samples))
        verdict = "met" if self.is_met else "MISSED"
        return (self.name, self.target_text, *(f"{each:.3g}" for each in values), verdict)

    @property
    def found(self) -> str:
        """The figure that counts, and a word if it is too large."""
        return f"{self.median:.3g}{'' if self.is_met else ', MISSED'}"

    @property
    def target_text(self) -> str:
        """The target with its unit."""
        return f"<= {self.target:g} {self.unit}"


@attrs.frozen
class Skipped:
    """A figure that could not be measured here: it misses nothing.

    Attributes:
        name: What.
        reason: Why not.
    """

    name: str
    reason: str
    is_met: bool = attrs.field(default=True, init=False)

    @property
    def row(self) -> tuple[str, ...]:
        """The figure in the columns of the table."""
        return (self.name, "", "", "", "", f"skipped: {self.reason}")


HEADINGS = ("figure", "target", "min", "median", "max", "")


def table(figures: Iterable[Figure | Skipped]) -> str:
    """Lay the figures out for people."""
    rows = [HEADINGS, *(each.row for each in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
