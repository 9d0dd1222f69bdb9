"""What docs/frameworks.md says is so: its code is that of the examples, which the tests run."""

from __future__ import annotations

import re

import pytest

from tests.environments import CHECKOUT, FRAMEWORKS

EXAMPLES = CHECKOUT / "examples" / "frameworks"
SECTIONS = dict(
    re.findall(
        r"^## (.+?)\n(.*?)(?=^## |\Z)",
        (CHECKOUT / "docs" / "frameworks.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_its_code_is_that_of_the_example(framework: str) -> None:
    """Each block stands in the example that the section names, line for line."""
    section = SECTIONS[framework]
    name = re.findall(r"^From \[(\w+\.py)\]", section, re.MULTILINE)[0]
    blocks = re.findall(r"^```py\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)

    assert blocks
    assert [block for block in blocks if block not in (EXAMPLES / name).read_text()] == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_it_names_the_release_that_is_tested(framework: str) -> None:
    """The releases of the framework and of nio are those that are installed for the tests."""
    page = (CHECKOUT / "docs" / "frameworks.md").read_text()
    pins = dict(
        line.split("==")
        for line in FRAMEWORKS[framework].pins.read_text().splitlines()
        if not line.startswith("#")
    )

    assert f"with {framework} {pins[framework]}:" in SECTIONS[framework]
    assert f" nio {pins['matrix-nio']}." in page


def test_every_example_has_its_section() -> None:
    """No example is left out, and no section speaks of a framework that is not tested."""
    named = {name for text in SECTIONS.values() for name in re.findall(r"\[(\w+\.\w+)\]", text)}

    assert named == {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    assert set(SECTIONS) == {*FRAMEWORKS, "Any other"}
