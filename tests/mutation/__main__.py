"""``python -m tests.mutation [module ...]``: whether the tests notice when the package is broken.

Without arguments all modules of ``subjects.py``, and the figures go to ``.proof/mutants.json``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping

from tests.mutation.mutants import mutants
from tests.mutation.report import (
    TARGET_PERCENT,
    Outcome,
    expected_survivors,
    figures,
    write_proof,
)
from tests.mutation.running import Subject, Verdict, judge, prepare, time_without_change
from tests.mutation.subjects import CHECKOUT, subjects

WORKERS = 2


def main(chosen: list[str]) -> int:
    """Break what is chosen, say what came of it; 1 if that is not as it should be."""
    every = subjects()
    listed = expected_survivors(CHECKOUT / "tests" / "mutation" / "equivalent.toml")
    outcomes = {}
    with tempfile.TemporaryDirectory() as compiled:
        prepare(compiled)
        for name in chosen or every:
            outcomes[name] = _break(name, every[name], listed.get(name, {}))
    if not chosen:
        write_proof(CHECKOUT / ".proof" / "mutants.json", outcomes)
    total = figures(list(outcomes.values()))
    _say(", ".join(f"{name}: {number}" for name, number in total.items()))
    is_whole = all(not outcome.survivors and not outcome.stale for outcome in outcomes.values())
    return 0 if is_whole and total["percent killed"] >= TARGET_PERCENT else 1


def _break(name: str, subject: Subject, expected: Mapping[str, str]) -> Outcome:
    started = time.monotonic()
    seconds = 5 + 2 * time_without_change(subject)
    every = list(mutants(subject.path.read_text(encoding="utf-8")))
    verdicts = {
        mutant.name: verdict
        for mutant, verdict in judge(subject, every, seconds=seconds, workers=WORKERS)
    }
    outcome = Outcome(verdicts, expected)
    counts = ", ".join(f"{outcome.count(verdict)} {verdict.value}" for verdict in Verdict)
    _say(f"{name}: {counts}, in {time.monotonic() - started:.0f} s")
    for survivor in outcome.survivors:
        _say(f"  no test notices {survivor}")
    for entry in outcome.stale:
        _say(f"  listed as a survivor, but is none: {entry}")
    return outcome


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command for people


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
