"""The page of the proofs says what they found, and forgets none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.proof import findings
from tests.proof.findings import Finding
from tests.proof.page import page, rewrite
from tests.proof.tally import Tally

CELLS = Finding("Fault matrix", "every cell holds.", {"cells": 1430, "failed": 0})
MUTANTS = Finding("Mutants", ">= 95 % killed", {"killed, %": 97.25, "modes": "a|b", "all": True})


def rows_of(text: str, proof: str) -> list[str]:
    """The rows of a proof's tables, without their headings."""
    section = text.partition(f"\n## {proof}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [line for line in lines if line not in ("| figure | found |", "|---|---|")]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for number, finding in enumerate((MUTANTS, CELLS)):
        content = {
            "proof": finding.proof,
            "target": finding.target,
            "figures": finding.figures,
        }
        (tmp_path / f"{number}.json").write_text(json.dumps(content))
    return tmp_path


def test_each_figure_has_a_row(folder: Path) -> None:
    """Each proof has its section, with its target and a row for each figure."""
    text = page(findings.read_all(folder))

    assert rows_of(text, "Fault matrix") == ["| cells | 1,430 |", "| failed | 0 |"]
    assert rows_of(text, "Mutants") == [
        "| killed, % | 97.25 |",
        r"| modes | a\|b |",
        "| all | yes |",
    ]
    assert "## Fault matrix\n\nTarget: every cell holds.\n" in text
    assert text.index("## Fault matrix") < text.index("## Mutants")


def test_proofs_that_were_not_run_here_stay() -> None:
    """A run replaces its own section, and no other."""
    present = page([CELLS, MUTANTS])
    again = Finding("Mutants", ">= 95 % killed", {"killed, %": 99.0})

    text = page([again], present)

    assert rows_of(text, "Fault matrix") == ["| cells | 1,430 |", "| failed | 0 |"]
    assert rows_of(text, "Mutants") == ["| killed, % | 99 |"]


def test_the_page_is_the_same_again() -> None:
    """Writing the page once more changes nothing, with or without the findings."""
    present = page([CELLS, MUTANTS])

    assert page([CELLS, MUTANTS], present) == page([], present) == present


def test_findings_of_one_proof_share_a_section() -> None:
    """Two files of one proof are both shown."""
    text = page([CELLS, Finding("Fault matrix", "it is quick.", {"seconds": 2.5})])

    assert text.count("## Fault matrix") == 1
    assert rows_of(text, "Fault matrix")[-1] == "| seconds | 2.5 |"


def test_written_findings_are_read(tmp_path: Path) -> None:
    """What a proof writes is read, and replaces what it wrote before."""
    for cells in (1, 2):
        findings.write("Fault matrix", "all", {"cells": cells}, tmp_path / "new")

    assert findings.read_all(tmp_path / "new") == [Finding("Fault matrix", "all", {"cells": 2})]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Where no proof was run, nothing was found."""
    assert findings.read_all(tmp_path / "none") == []


@pytest.mark.parametrize("content", ["", "[]", '{"proof": "x"}', '{"proof": 1, "figures": {}}'])
def test_a_file_of_another_form(tmp_path: Path, content: str) -> None:
    """A file that is no finding is named."""
    (tmp_path / "odd.json").write_text(content)

    with pytest.raises(ValueError, match=r"odd\.json is no finding"):
        findings.read_all(tmp_path)


def test_rewriting(tmp_path: Path) -> None:
    """The page is made where it is missing, and brought up to date where it is."""
    path = tmp_path / "index.md"
    rewrite([CELLS], path)
    rewrite([MUTANTS], path)

    assert path.read_text() == page([CELLS, MUTANTS])


def test_the_page_in_the_docs() -> None:
    """The page that is there is one that the proofs wrote."""
    text = (findings.CHECKOUT / "docs" / "proof" / "index.md").read_text()

    assert page([], text) == text
    assert rows_of(text, "Benchmarks")


def test_a_run_of_some_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers do not take the place of those of a whole run."""
    written: list[Any] = []
    monkeypatch.setattr(findings, "write", lambda *told: written.append(told))
    tally = Tally("A proof", {"cells": 2, "faults": 1})
    tally.add("cells")
    tally.add("faults")
    tally.write()
    assert written == []

    tally.add("cells")
    tally.write()
    assert written == [("A proof", "At least 2 cells, 1 faults.", {"cells": 2, "faults": 1})]
