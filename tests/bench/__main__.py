"""Measure everything, print the table, and fail if a target is missed."""

from __future__ import annotations

import asyncio
import sys

from tests.bench import gate, imports, lookups, memory, syncs
from tests.bench.figures import Figure, table


def measure() -> list[Figure]:
    """Take about a minute."""
    return [
        asyncio.run(syncs.idle_sync(rounds=120, syncs=25)),
        asyncio.run(syncs.hooks(rounds=30, responses=2_000)),
        asyncio.run(gate.open_gate(rounds=30, calls=50_000)),
        asyncio.run(gate.held_calls(rounds=7, calls=10_000)),
        imports.over_nio(rounds=15),
        memory.unused_clients(rounds=5, clients=1_000),
        lookups.hashing(rounds=15, addresses=100_000),
        asyncio.run(lookups.complete(rounds=7, addresses=100_000)),
        *asyncio.run(lookups.streamed(rounds=1, addresses=1_000_000)),
        asyncio.run(lookups.small_call(rounds=7, calls=300)),
    ]


def main() -> int:
    """Give the exit status."""
    figures = measure()
    print(table(figures))
    missed = [figure.name for figure in figures if not figure.is_met]
    if missed:
        print("\nMissed:", ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
