from __future__ import annotations

import json
from pathlib import Path

from tests.mutation.report import Outcome, expected_survivors, write_proof
from tests.mutation.running import Verdict
from tests.mutation.subjects import PACKAGE, subjects

_OUTCOME = Outcome(
    {
        "noticed": Verdict.KILLED,
        "hung": Verdict.TIMED_OUT,
        "explained": Verdict.SURVIVED,
        "missed": Verdict.SURVIVED,
    },
    {"explained": "it is the same", "noticed": "was the same once", "gone": "was there once"},
)


def test_a_survivor_has_to_be_explained() -> None:
    """What no test noticed is reported unless it is listed."""
    assert _OUTCOME.survivors == ["missed"]


def test_an_explanation_has_to_have_its_survivor() -> None:
    """What is listed and was killed meanwhile, or is there no more, is reported."""
    assert _OUTCOME.stale == ["noticed", "gone"]


def test_the_figures_are_written_for_the_documentation(tmp_path: Path) -> None:
    """The proof holds the target and the counts; what hung was noticed and counts as killed."""
    path = tmp_path / ".proof" / "mutants.json"

    write_proof(path, {"choice.py": _OUTCOME, "evidence.py": Outcome({"a": Verdict.KILLED}, {})})

    proof = json.loads(path.read_text())
    assert (proof["proof"], proof["target"]) == ("mutants", ">= 95 %")
    assert proof["figures"] == {
        "mutants": 5,
        "killed": 2,
        "timed out": 1,
        "survived, equivalent": 1,
        "survived, unexplained": 1,
        "percent killed": 60.0,
    }
    assert proof["modules"]["evidence.py"]["percent killed"] == 100.0


def test_every_module_of_the_promised_rooms_is_broken() -> None:
    """A module that is added to a room does not go untested."""
    rooms = [path for room in ("preference", "flows") for path in (PACKAGE / room).glob("*.py")]
    promised = {str(path.relative_to(PACKAGE)) for path in rooms if path.name != "__init__.py"}

    # A protocol is all of it; nothing in there does anything.
    assert set(subjects()) == promised - {"flows/line.py"} | {"base_url.py", "client/gate.py"}


def test_every_explanation_is_about_a_module_and_says_something() -> None:
    """The list in the repository can be read, and gives a reason for each entry."""
    listed = expected_survivors(Path(__file__).parent / "equivalent.toml")

    assert set(listed) <= set(subjects())
    assert all(len(reason) > 20 for each in listed.values() for reason in each.values())
