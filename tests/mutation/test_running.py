from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.mutation.subjects import CHECKOUT

_MODULE = """
def is_grown_up(age):
    return age >= 18

def counted(number):
    while number:
        number -= 1
    return number
"""
_TESTS = """
from trial import counted, is_grown_up

def test_ages():
    assert is_grown_up(30) and not is_grown_up(7)  # and nobody tries 18

def test_counting():
    assert counted(2) == 0
"""
_DRIVER = """
import json, pathlib, sys
from tests.mutation.mutants import mutants
from tests.mutation.running import Subject, judge, prepare, time_without_change

path = pathlib.Path("trial.py").resolve()
subject = Subject("trial", path, ("test_trial.py",))
prepare("compiled")
time_without_change(subject)
every = list(mutants(path.read_text()))
verdicts = judge(subject, every, seconds=3, workers=2)
print(json.dumps({mutant.name: verdict.value for mutant, verdict in verdicts}))
"""


def _drive(folder: Path) -> subprocess.CompletedProcess[str]:
    """Break ``trial.py`` in this folder, in a process that may wait for all of its children."""
    return subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", _DRIVER],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(CHECKOUT)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_mutants_are_killed_survive_or_hang(tmp_path: Path) -> None:
    """What a test notices is killed, what none looks at survives, and what hangs is stopped."""
    (tmp_path / "trial.py").write_text(_MODULE)
    (tmp_path / "test_trial.py").write_text(_TESTS)

    done = _drive(tmp_path)

    verdicts = json.loads(done.stdout)
    assert verdicts["is_grown_up: `age >= 18` -> `age < 18`"] == "killed"
    assert verdicts["is_grown_up: `age >= 18` -> `age > 18`"] == "survived"
    assert verdicts["counted: `number -= 1` -> `number += 1`"] == "timed out"
    assert (tmp_path / "trial.py").read_text() == _MODULE


def test_tests_that_fail_anyway_prove_nothing(tmp_path: Path) -> None:
    """When the tests fail on the module as it is, that is said, and no mutant is judged."""
    (tmp_path / "trial.py").write_text(_MODULE)
    (tmp_path / "test_trial.py").write_text("def test_nothing():\n    assert False\n")

    done = _drive(tmp_path)

    assert "the tests of trial fail without a change" in done.stderr
    assert done.returncode == 1
