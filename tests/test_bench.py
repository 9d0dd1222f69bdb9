"""The benchmark measures what it says; sizes are small here, and targets are generous."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import gate, imports, js_sdk, lookups, memory, pages, syncs
from tests.bench.figures import Figure, Skipped, table

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


def test_what_was_not_measured() -> None:
    """A figure that could not be measured here says why, and misses nothing."""
    figure = Skipped("a", "no node")

    assert figure.is_met
    assert table([figure]).splitlines()[1].split("  ")[0] == "a"
    assert table([figure]).endswith("skipped: no node")


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


def test_help() -> None:
    """Whoever asks the command for help waits little longer than for its libraries."""
    assert 0 < imports.help_of_the_command(rounds=1).median < imports.HELP_RATIO * GENEROUS


def test_unused_clients() -> None:
    """A client that never uses its identity server costs a kilobyte at most."""
    assert 0 < memory.unused_clients(rounds=1, clients=50).median <= memory.UNUSED_BYTES


def test_hashing() -> None:
    """Hashing addresses is dearer than hashing alone, and not by much."""
    assert 1 < lookups.hashing(rounds=3, addresses=5_000).median < lookups.HASHING * GENEROUS


async def test_complete_lookup() -> None:
    """A whole lookup is dearer than hashing alone, and not by much."""
    figure = await lookups.complete(rounds=1, addresses=10_000)

    assert 1 < figure.median < lookups.COMPLETE * GENEROUS


async def test_streamed_lookup() -> None:
    """A streamed lookup holds few addresses at once, and does not stop the loop."""
    held, stall = await lookups.streamed(rounds=1, addresses=20_000)

    assert 0 < held.median < lookups.STREAM_MIB
    assert 0 < stall.median < lookups.STALL_MS * GENEROUS


async def test_small_call() -> None:
    """One call takes about what it takes with aiohttp."""
    figure = await lookups.small_call(rounds=1, calls=10)

    assert 0 < figure.median < lookups.CALL * GENEROUS


async def test_without_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where node is not there, matrix-js-sdk is skipped."""
    monkeypatch.setenv("PATH", str(tmp_path))

    figure = await js_sdk.share(rounds=1, addresses=10)

    assert figure == Skipped("lookup of 10 / matrix-js-sdk's", "node and npm are not there")


async def test_npm_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where npm cannot install, matrix-js-sdk is skipped, and installed the next time."""
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(js_sdk.NotThere, match="npm could not install"):
        js_sdk.install(tmp_path / "new")

    assert not (tmp_path / "new" / "installed.txt").exists()


@pytest.mark.skipif(
    shutil.which("node") is None or not (js_sdk.FOLDER / "installed.txt").exists(),
    reason="matrix-js-sdk is not installed: make bench",
)
async def test_matrix_js_sdk() -> None:
    """A lookup takes a part of what matrix-js-sdk takes for the same answer."""
    figure = await js_sdk.share(rounds=1, addresses=2_000)

    assert isinstance(figure, Figure)
    assert 0 < figure.median < js_sdk.SHARE * GENEROUS


@pytest.mark.parametrize(("target", "status"), [(1e9, 0), (-1e9, 1)])
def test_exit_status(target: float, status: int, tmp_path: Path) -> None:
    """The benchmark ends with 1 if a target is missed, else with 0, and writes its page."""
    program = f"""
import sys
from pathlib import Path
from tests.bench import __main__ as bench
from tests.bench.figures import Figure
bench.measure = lambda: [Figure("made up", {target}, "x", [1.0])]
sys.exit(bench.main(["ratios"], bench.Places(*map(Path, {[str(tmp_path)] * 2!r}))))
"""
    ended = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stderr) == (status, "")
    assert ("Missed: made up" in ended.stdout) is bool(status)
    assert f"| made up | <= {target:g} x |" in (tmp_path / "benchmarks.md").read_text()
    found = ", MISSED" if status else ""
    assert f"| made up (<= {target:g} x) | 1{found} |" in (tmp_path / "index.md").read_text()


def test_the_page_in_the_docs() -> None:
    """The page that is there was written with the targets of today."""
    rows = (pages.FOLDER / "benchmarks.md").read_text().splitlines()
    written = {row.split(" | ")[1] for row in rows if " | <= " in row}

    assert written == {
        f"<= {target:g} {unit}"
        for target, unit in (
            (syncs.RATIO, "x"),
            (syncs.ADDED_US, "us"),
            (gate.OPEN_US, "us"),
            (gate.RELEASE_MS, "ms"),
            (imports.IMPORT_MS, "ms"),
            (imports.HELP_RATIO, "x"),
            (memory.UNUSED_BYTES, "bytes"),
            (lookups.HASHING, "x"),
            (lookups.COMPLETE, "x"),
            (lookups.STREAM_MIB, "MiB"),
            (lookups.STALL_MS, "ms"),
            (lookups.CALL, "x"),
            (js_sdk.SHARE, "x"),
        )
    }


def test_unknown_words() -> None:
    """The benchmark says what it can be asked for."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "faster"], check=False, capture_output=True, text=True
    )

    assert ended.returncode == 2
    assert "python -m tests.bench growth" in ended.stdout
