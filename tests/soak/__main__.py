"""The long runs: ``python -m tests.soak [--examples 5000] [--steps 50] [--calls 100000]``.

The state machine in one process, many calls of many clients in another. It takes a quarter of an
hour, keeps what it saw in ``.proof/soak.json``, and fails if anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tests.proof import findings
from tests.soak.calls import Soak, soak
from tests.soak.machine import be_quiet, run_machine

MOST_GROWTH = {"resident": 5 * 2**20, "objects": 100, "descriptors": 0, "tasks": 0}
"""What may be used more at the end than after the warm-up."""


def complaints_about(found: Soak) -> list[str]:
    """Tell what was wrong in a soak, in words."""
    grown = [
        f"{name} grew by {found.growth[name]}, at most {most} are allowed"
        for name, most in MOST_GROWTH.items()
        if found.growth[name] > most
    ]
    astray = found.seen.get("tokens of another server")
    leaks = [] if astray == 0 else [f"tokens that reached another server: {astray}"]
    return [*grown, *leaks, *found.foreign]


def main() -> int:
    """Give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--examples", type=int, default=5_000, help="runs of the state machine")
    parser.add_argument("--steps", type=int, default=50, help="steps of each")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=50)
    options = parser.parse_args()
    be_quiet()
    started = time.monotonic()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=be_quiet) as pool:
        machine = pool.submit(run_machine, examples=options.examples, steps=options.steps)
        found = asyncio.run(soak(options.calls, clients=options.clients))
        for use in found.uses:
            _say(str(use))
        runs, steps = machine.result()
    wrong = complaints_about(found)
    figures: dict[str, Any] = {
        "runs of the state machine": runs,
        "steps of the state machine": steps,
        "calls": found.answers.total() + len(found.foreign),
        "clients": options.clients,
        **found.seen,
        "foreign exceptions": len(found.foreign),
        "growth of memory (bytes)": found.growth["resident"],
        "growth of objects": found.growth["objects"],
        "growth of file descriptors": found.growth["descriptors"],
        "growth of tasks": found.growth["tasks"],
        "seconds": round(time.monotonic() - started),
        "ends of calls": dict(found.answers.most_common()),
    }
    findings.write(
        "Soak",
        target="nothing is blamed; after a tenth of the calls memory grows by at most 5 MiB, "
        "file descriptors and tasks not at all",
        figures=figures,
    )
    for name, value in figures.items():
        _say(f"{name}: {value}")
    for complaint in wrong[:20]:
        _say(f"WRONG: {complaint}")
    return 1 if wrong else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command for people


if __name__ == "__main__":
    sys.exit(main())
