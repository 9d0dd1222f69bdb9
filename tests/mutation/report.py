"""What came out: the survivors against the list of those that are expected, and the figures."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from tests.mutation.running import Verdict

TARGET_PERCENT = 95


@attrs.frozen
class Outcome:
    """What the tests made of all mutants of one module.

    Attributes:
        verdicts: By the mutant's name.
        expected: Why it is equivalent, for each mutant that is listed.
    """

    verdicts: Mapping[str, Verdict]
    expected: Mapping[str, str]

    def count(self, verdict: Verdict) -> int:
        """How many mutants have this verdict."""
        return list(self.verdicts.values()).count(verdict)

    @property
    def survivors(self) -> list[str]:
        """The mutants that no test noticed and that nobody has explained."""
        return [
            name
            for name, verdict in self.verdicts.items()
            if verdict is Verdict.SURVIVED and name not in self.expected
        ]

    @property
    def stale(self) -> list[str]:
        """What is listed as a survivor and is none."""
        return [name for name in self.expected if self.verdicts.get(name) is not Verdict.SURVIVED]


def expected_survivors(listed: Path) -> Mapping[str, Mapping[str, str]]:
    """The reasons by module and mutant."""
    return tomllib.loads(listed.read_text(encoding="utf-8"))


def figures(outcomes: Sequence[Outcome]) -> dict[str, int | float]:
    """The numbers of all modules together."""
    mutants = sum(len(each.verdicts) for each in outcomes)
    survived = sum(each.count(Verdict.SURVIVED) for each in outcomes)
    unexplained = sum(len(each.survivors) for each in outcomes)
    return {
        "mutants": mutants,
        "killed": sum(each.count(Verdict.KILLED) for each in outcomes),
        "timed out": sum(each.count(Verdict.TIMED_OUT) for each in outcomes),
        "survived, equivalent": survived - unexplained,
        "survived, unexplained": unexplained,
        "percent killed": round(100 * (mutants - survived) / mutants, 1),
    }


def write_proof(path: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Write the figures, and those of each module, as JSON for the documentation."""
    path.parent.mkdir(exist_ok=True)
    proof = {
        "proof": "mutants",
        "target": f">= {TARGET_PERCENT} %",
        "figures": figures(list(outcomes.values())),
        "modules": {name: figures([outcome]) for name, outcome in outcomes.items()},
    }
    path.write_text(json.dumps(proof, indent=2) + "\n", encoding="utf-8")
