"""The short versions of ``make soak``."""

from __future__ import annotations

import attrs
import pytest

from nio_identity_server.flows.lookup import Lookup
from tests.soak.__main__ import MOST_GROWTH, complaints_about
from tests.soak.calls import Soak, Use, soak
from tests.soak.machine import run_machine

GOOD = Soak(uses=[Use(100, 10, 5, 0)] * 2, seen={"tokens of another server": 0})


async def test_a_thousand_calls_with_trouble_leave_nothing_behind() -> None:
    """Calls with 5 % faults are answered or raise our own; descriptors and tasks stay as few."""
    found = await soak(1_000, clients=10)

    assert complaints_about(found) == []
    assert found.answers.total() == 1_000
    assert found.answers["answered"] > 800
    assert found.seen["faults"] > 20


async def test_what_is_kept_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lookup that keeps its answer, and all that hangs on it, is told as growth."""
    find, kept = Lookup.find, list[object]()

    async def hoarding(self: Lookup, batch: object) -> object:
        found = await find(self, batch)  # type: ignore[arg-type]
        kept.extend([] for _ in range(10))
        return found

    monkeypatch.setattr(Lookup, "find", hoarding)
    found = await soak(1_000, clients=10, faults=0.0)

    assert [each for each in complaints_about(found) if each.startswith("objects grew by ")]


@pytest.mark.parametrize("name", MOST_GROWTH)
def test_every_growth_is_told(name: str) -> None:
    """One more than is allowed of anything."""
    first, last = GOOD.uses
    value = getattr(last, name) + MOST_GROWTH[name] + 1
    found = attrs.evolve(GOOD, uses=[first, attrs.evolve(last, **{name: value})])

    assert complaints_about(GOOD) == []
    assert complaints_about(found) == [
        f"{name} grew by {MOST_GROWTH[name] + 1}, at most {MOST_GROWTH[name]} are allowed"
    ]


def test_a_token_astray_and_an_exception_of_others_are_told() -> None:
    """Whatever was wrong is said."""
    found = attrs.evolve(GOOD, seen={"tokens of another server": 2}, foreign=["KeyError('x')"])

    assert complaints_about(found) == [
        "tokens that reached another server: 2",
        "KeyError('x')",
    ]


def test_the_machine_is_run_as_often_as_it_says() -> None:
    """A few runs of a few steps."""
    runs, steps = run_machine(examples=5, steps=10)

    assert runs >= 5
    assert steps >= runs
