"""The environments of the tests hold what the package promises to work with."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.environments import CHECKOUT, OLDEST

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
PROMISED = [
    Requirement(each)
    for each in chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
]
PINS = sorted((CHECKOUT / "constraints").rglob("*.txt"))


def normal(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(file: Path) -> dict[str, Version]:
    """The releases that a file pins, by the package's normal name."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    pins = [line.partition("==") for line in lines]
    return {normal(name): Version(version) for name, _, version in pins}


@pytest.mark.parametrize("requirement", PROMISED, ids=lambda each: each.name)
def test_the_oldest_are_the_oldest_that_are_promised(requirement: Requirement) -> None:
    """Each lower bound of ``pyproject.toml`` is the release that ``make oldest`` tests with."""
    (bound,) = requirement.specifier

    assert bound.operator == ">="
    assert pinned(OLDEST.pins)[normal(requirement.name)] == Version(bound.version)


@pytest.mark.parametrize(
    "file", [each for each in PINS if each.name != "tools.txt"], ids=lambda file: file.stem
)
def test_pins_are_names_and_versions(file: Path) -> None:
    """Nothing is fetched from elsewhere, and nothing is left open."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]

    # pip's own form; npm's for what node needs.
    form = r"[\w@/.-]+@[\w.-]+" if file.name == "node.txt" else r"[\w.-]+==[\w.]+"
    assert [line for line in lines if not re.fullmatch(form, line)] == []
