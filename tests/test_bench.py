"""The benchmark measures what it says; sizes are small here, and targets are generous."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench import gate, imports, memory, syncs
from tests.bench.figures import Figure, table

GENEROUS = 10


def test_a_figure_is_its_median() -> None:
    """One slow round does not miss a target; a slow median does."""
    assert Figure("fine", 1.05, "x", [1.0, 1.0, 9.0]).is_met
    assert not Figure("slow", 1.05, "x", [1.0, 1.1, 1.1]).is_met


def test_the_table() -> None:
    """The table shows target, least, median and most of each figure, and whether it is met."""
    lines = table([Figure("a", 2, "x", [1, 3, 1]), Figure("b", 0.5, "x", [1])]).splitlines()

    assert lines[0].split() == ["figure", "target", "min", "median", "max"]
    assert lines[1].split() == ["a", "<=", "2", "x", "1", "1", "3", "met"]
    assert lines[2].split()[-1] == "MISSED"


async def test_idle_syncs() -> None:
    """An idle sync with the mixin is about as quick as without it."""
    figure = await syncs.idle_sync(rounds=6, syncs=5)

    assert len(figure.samples) == 6
    assert figure.median < 2


async def test_hooks() -> None:
    """The mixin's own work on an idle sync is a matter of microseconds, and not nothing."""
    figure = await syncs.hooks(rounds=3, responses=200)

    assert 0 < figure.median < syncs.ADDED_US * GENEROUS


async def test_open_gate() -> None:
    """An open gate costs next to nothing."""
    figure = await gate.open_gate(rounds=3, calls=500)

    assert 0 < figure.median < gate.OPEN_US * GENEROUS


async def test_held_calls() -> None:
    """Calls that were held are all released, into one generation."""
    figure = await gate.held_calls(rounds=1, calls=100)

    assert figure.name == "100 held calls released"
    assert 0 < figure.median < gate.RELEASE_MS


def test_import() -> None:
    """The import of the package is small beside nio's."""
    assert 0 < imports.over_nio(rounds=1).median < imports.IMPORT_MS * GENEROUS


def test_unused_clients() -> None:
    """A client that never uses its identity server costs a kilobyte at most."""
    assert 0 < memory.unused_clients(rounds=1, clients=50).median <= memory.UNUSED_BYTES


@pytest.mark.parametrize(("target", "status"), [(1e9, 0), (-1e9, 1)])
def test_exit_status(target: float, status: int) -> None:
    """The benchmark ends with 1 if a target is missed, else with 0."""
    program = f"""
import sys
from tests.bench import __main__ as bench
from tests.bench.figures import Figure
bench.measure = lambda: [Figure("made up", {target}, "x", [1.0])]
sys.exit(bench.main())
"""
    ended = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stderr) == (status, "")
    assert ("Missed: made up" in ended.stdout) is bool(status)
