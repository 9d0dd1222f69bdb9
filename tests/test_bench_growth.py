"""How cost grows is measured, written to a page, and drawn."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench import growth, pages, plot
from tests.bench.figures import Figure, Skipped
from tests.bench.growth import ClientCost, LookupCost

LOOKUPS = [LookupCost(1, 0.25, 3000.0, 9000.0), LookupCost(1_000, 5.0, 2.5)]
CLIENTS = [ClientCost(1, 5.0, 1.6), ClientCost(10_000, 4.5, 1.8)]


async def test_lookups() -> None:
    """The cost of one address falls with their number, and memory grows."""
    one, many = await growth.lookups([1, 1_000], rounds=2)

    assert (one.addresses, many.addresses) == (1, 1_000)
    assert one.per_address > many.per_address > 1
    assert 0 < one.memory < many.memory < 5
    assert one.js_sdk is None


async def test_clients() -> None:
    """An opened client takes some memory, and more time than a plain one."""
    (cost,) = await growth.clients([20])

    assert cost.clients == 20
    assert 1 < cost.memory < 50
    assert 1 < cost.opening < 10


def texts_of(picture: str) -> list[str]:
    """All texts of a picture."""
    root = ET.fromstring(picture)  # noqa: S314 -- our own
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_pages(tmp_path: Path) -> None:
    """The page has a row for each size, and each picture that it shows is there."""
    pages.write_growth(LOOKUPS, CLIENTS, folder=tmp_path)

    text = (tmp_path / "growth.md").read_text()
    assert "| 1 | 3,000 | 9,000 | 0.25 |\n| 1,000 | 2.5 | - | 5 |\n" in text
    assert "| 10,000 | 4.5 | 1.8 |\n" in text
    names = re.findall(r"\]\((.+\.svg)\)", text)
    assert len(names) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"growth.md", *names}


def test_a_page_without_matrix_js_sdk(tmp_path: Path) -> None:
    """The page says why there is nothing to compare with."""
    pages.write_growth(LOOKUPS[1:], CLIENTS, without_js_sdk="no node", folder=tmp_path)
    pages.write_benchmarks([Figure("a", 2, "x", [1]), Skipped("b", "no node")], tmp_path)

    assert "matrix-js-sdk was not measured: no node." in (tmp_path / "growth.md").read_text()
    assert "| b |  |  |  |  | skipped: no node |" in (tmp_path / "benchmarks.md").read_text()
    assert "It was not measured: no node." in (tmp_path / "benchmarks.md").read_text()


def test_shares() -> None:
    """Each figure has its name in the plot, and the line of its target where it says."""
    picture = plot.shares([Figure("a < b", 2, "x", [1, 2, 9]), Figure("c", 1, "x", [0.5])])

    assert {"a < b", "c", "target"} <= set(texts_of(picture))
    (target,) = re.findall(r'class="target" x1="(\d+)"', picture)
    medians = re.findall(r'class="range" x1="(\d+)" y1="\d+" x2="\1"', picture)
    assert medians[0] == target
    assert int(medians[1]) < int(target)


def test_curves() -> None:
    """Axes count powers of ten around all points, and each series has its line and its name."""
    series = {"us": [(1.0, 0.3), (1e3, 20.0)], "them": [(10.0, 500.0)]}
    picture = plot.curves("addresses", "cost", series)

    assert {"us", "them", "addresses", "cost", "1,000", "0.1"} <= set(texts_of(picture))
    assert len(re.findall("<polyline", picture)) == 2
    assert len(re.findall("<circle", picture)) == 3


def test_one_value() -> None:
    """A line that is level has an axis all the same."""
    assert "<circle" in plot.curves("x", "y", {"level": [(1.0, 10.0), (10.0, 10.0)]})


@pytest.mark.parametrize("picture", [plot.shares([]), plot.curves("x", "y", {"a": [(1.0, 1.0)]})])
def test_themes(picture: str) -> None:
    """A picture has colours for light and for dark pages."""
    assert "prefers-color-scheme:dark" in picture
    assert 'class="card"' in picture
