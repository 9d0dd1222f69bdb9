"""A share of the tests in Python's other modes; ``make modes`` runs them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modes import MODES, run

SHARE = ("tests/client/test_answer.py", "tests/client/test_gate.py")

# Fails as many times as it has tests, if asserts are looked at: one by itself, one in what it uses.
_FAILING = """
from tests.canaries import Canaries


def test_that_is_wrong():
    assert 1 == 2


def test_that_uses_what_is_wrong():
    canaries = Canaries(others={"canary"})
    canaries.caught(ValueError("canary"))
    canaries.check()
"""


@pytest.mark.parametrize("name", MODES)
def test_a_share_of_the_tests(name: str) -> None:
    """They pass, and are as many in every mode."""
    outcome = run(MODES[name], *SHARE)

    assert outcome.status == 0, outcome.output
    assert set(outcome.counts) == {"passed"}
    assert outcome.counts["passed"] > 100


@pytest.mark.parametrize("name", MODES)
def test_a_wrong_test_fails(tmp_path: Path, name: str) -> None:
    """An assert of a test is looked at even where Python leaves asserts out."""
    wrong = tmp_path / "test_wrong.py"
    wrong.write_text(_FAILING)

    outcome = run(MODES[name], "-p", "tests.conftest", str(wrong))

    assert outcome.counts == {"failed": 2}, outcome.output
