"""What people install: the package with its types and its pytest plugin, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path
from zipfile import ZipFile

import pytest

from nio_identity_server.testing import plugin

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "nio_identity_server"


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel, built from this checkout without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(  # noqa: S603 -- our own tool, in the same environment
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (path,) = folder.iterdir()
    return ZipFile(path)


def test_everything_of_the_package(wheel: ZipFile) -> None:
    """Each module is in it, and the mark that says that its types count."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / PACKAGE).rglob("*.py")}

    assert modules | {f"{PACKAGE}/py.typed"} <= set(wheel.namelist())


def test_nothing_else(wheel: ZipFile) -> None:
    """No test, no example, no page, and nothing that was left lying about."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    inside = [name for name in wheel.namelist() if name.startswith(f"{PACKAGE}/")]

    assert {top.partition("-")[0] for top in tops} == {PACKAGE}
    assert len(tops) == 2  # the package and its metadata
    assert {Path(name).suffix for name in inside} == {".py", ".typed"}


def test_what_others_find(wheel: ZipFile) -> None:
    """The wheel brings the command, and tells pytest of the plugin, the module that it names."""
    (name,) = [each for each in wheel.namelist() if each.endswith("/entry_points.txt")]
    parser = ConfigParser()
    parser.read_string(wheel.read(name).decode())

    assert dict(parser["console_scripts"]) == {"nio-identity-server": "nio_identity_server.cli:run"}
    assert dict(parser["pytest11"]) == {PACKAGE: plugin.__name__}
    (found,) = entry_points(group="pytest11", name=PACKAGE)
    assert found.load() is plugin
