"""There are as many hostile inputs as were promised, and for every parser some."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.proof import findings
from tests.vectors import count


def test_there_are_a_thousand() -> None:
    """The threat model asks for 1,000 fixed vectors; no parser is without."""
    assert sum(count.VECTORS.values()) >= count.TARGET
    assert all(count.VECTORS.values())


def test_the_figures_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command writes what it counts where the page of the documentation looks for it."""
    monkeypatch.setattr(count, "write", partial(findings.write, folder=tmp_path))

    assert count.main() == 0

    (kept,) = findings.read_all(tmp_path)
    assert kept.figures == count.figures()
