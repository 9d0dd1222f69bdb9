"""Measure, print, write the pages, and fail if a target is missed.

``python -m tests.bench``          everything, in a few minutes
``python -m tests.bench ratios``   each figure with a target
``python -m tests.bench growth``   how cost grows with addresses and with clients
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.bench import gate, growth, imports, js_sdk, lookups, memory, pages, syncs
from tests.bench.figures import Figure, Skipped, table
from tests.proof import findings, page


@attrs.frozen
class Places:
    """Where results go: pages and plots to one folder, what was found to another."""

    pages: Path
    findings: Path


HERE = Places(pages.FOLDER, findings.FOLDER)
ADDRESSES = [10**power for power in range(7)]
CLIENTS = [10**power for power in range(5)]


def measure() -> list[Figure | Skipped]:
    """Take a minute or two."""
    return [
        asyncio.run(syncs.idle_sync(rounds=120, syncs=25)),
        asyncio.run(syncs.hooks(rounds=30, responses=2_000)),
        asyncio.run(gate.open_gate(rounds=30, calls=50_000)),
        asyncio.run(gate.held_calls(rounds=7, calls=10_000)),
        imports.over_nio(rounds=15),
        imports.help_of_the_command(rounds=15),
        memory.unused_clients(rounds=5, clients=1_000),
        lookups.hashing(rounds=15, addresses=100_000),
        asyncio.run(lookups.complete(rounds=7, addresses=100_000)),
        *asyncio.run(lookups.streamed(rounds=5, addresses=1_000_000)),
        asyncio.run(lookups.small_call(rounds=7, calls=300)),
        asyncio.run(js_sdk.share(rounds=5, addresses=100_000)),
    ]


def measure_ratios(places: Places) -> bool:
    """Measure the figures with a target; gives whether all are met."""
    figures = measure()
    print(table(figures))
    pages.write_benchmarks(figures, places.pages)
    measured = [figure for figure in figures if isinstance(figure, Figure)]
    found = {f"{each.name} ({each.target_text})": each.found for each in measured}
    findings.write("Benchmarks", "each median within its bound.", found, places.findings)
    page.rewrite(findings.read_all(places.findings), places.pages / "index.md")
    missed = [figure.name for figure in figures if not figure.is_met]
    if missed:
        print("\nMissed:", ", ".join(missed))
    return not missed


def measure_growth(folder: Path) -> None:
    """Measure how cost grows."""
    reason = None
    try:
        with js_sdk.running() as peer:
            costs = asyncio.run(growth.lookups(ADDRESSES, rounds=5, js_sdk=peer))
    except js_sdk.NotThere as missing:
        reason = str(missing)
        costs = asyncio.run(growth.lookups(ADDRESSES, rounds=5))
    crowd = asyncio.run(growth.clients(CLIENTS))
    pages.write_growth(costs, crowd, without_js_sdk=reason, folder=folder)
    print(f"\n{pages.lookup_table(costs)}\n\n{pages.client_table(crowd)}")


def main(arguments: Sequence[str], places: Places = HERE) -> int:
    """Give the exit status."""
    if not set(arguments) <= {"ratios", "growth"}:
        print(__doc__)
        return 2
    wanted = arguments or ("ratios", "growth")
    is_met = measure_ratios(places) if "ratios" in wanted else True
    if "growth" in wanted:
        measure_growth(places.pages)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
