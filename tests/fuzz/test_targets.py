"""Every target holds for the corpus that is kept, for its neighbours, and for any bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from nio_identity_server import strict_json
from tests.fuzz.corpus import KEPT, kept
from tests.fuzz.targets import ENDPOINTS, TARGETS

MOST_BYTES = 64 * 1024
CASES = [(name, path) for name in TARGETS for path in kept(name)]


@st.composite
def _neighbours(draw: st.DrawFn, name: str) -> bytes:
    """A file of the corpus with a piece replaced, perhaps by one of another file."""
    files = kept(name)
    data = draw(st.sampled_from(files)).read_bytes()
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    piece = draw(st.binary(max_size=4) | st.sampled_from(files).map(Path.read_bytes))
    return data[:start] + piece + data[end:]


@pytest.mark.parametrize(("name", "path"), CASES, ids=lambda each: getattr(each, "name", each))
def test_the_corpus(name: str, path: Path) -> None:
    """Nothing that was ever kept breaks its target."""
    TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_neighbours_of_the_corpus(name: str) -> None:
    """Neither does anything that is nearly the same."""

    @settings(max_examples=200, deadline=None)
    @given(_neighbours(name))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes(name: str) -> None:
    """Neither do any bytes."""

    @settings(max_examples=100, deadline=None)
    @given(st.binary())
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()


def test_the_corpus_is_small_and_whole() -> None:
    """A few kB in all, some for each target, none for a target that is not there."""
    sizes = [path.stat().st_size for _, path in CASES]

    assert all(len(kept(name)) >= 3 for name in TARGETS)
    assert sum(sizes) <= MOST_BYTES
    assert {each.name for each in KEPT.iterdir()} == set(TARGETS)


def test_every_endpoint_can_be_reached() -> None:
    """The first byte names it."""
    assert 30 < len(ENDPOINTS) < 256


def test_a_target_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that lets its own exception through is found by what is kept."""
    monkeypatch.setattr(strict_json, "loads", strict_json._DECODER.decode)

    with pytest.raises(TypeError):
        TARGETS["json_body"](kept("json_body")[0].read_bytes())


def test_the_command_names_what_it_cannot_fuzz() -> None:
    """An unknown target is a mistake of whoever calls, said in one line."""
    ended = subprocess.run(  # our own words
        [sys.executable, "-m", "tests.fuzz", "nonsense"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert "nonsense" in ended.stderr
