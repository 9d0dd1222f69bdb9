"""Environments beside the main one, each complete in its pins: ``python -m tests.environments``.

``frameworks``  one for each framework of ``examples/frameworks``, below ``.frameworks``: what they
                need contradicts each other
``oldest``      the oldest releases that are promised to work, in ``.oldest``
``fuzz``        atheris, in ``.fuzz``

An environment that is complete and made of the present pins is left as it is. Nothing but the
standard library is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]

_TAIL_LINES = 30


class InstallationFailed(Exception):
    """An environment could not be made; its text is what pip said last."""


@dataclass(frozen=True)
class Environment:
    """An environment that holds this package, from the checkout, and what its pins say.

    Attributes:
        folder: Where it is.
        pins: The file of its pins: complete, and installed as it stands.
    """

    folder: Path
    pins: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def is_installed(self) -> bool:
        """Whether it is complete and made of the present pins."""
        return self._stamp.is_file() and self._stamp.read_text() == self._recipe

    def install(self) -> None:
        """Make it anew, whatever was there before.

        Raises:
            InstallationFailed: pip did not do what it was told, or the pins contradict what the
                packages ask for.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        venv.create(self.folder, symlinks=True)  # without a pip of its own: ours is quicker to have
        # The pins name every package, so none is searched for; afterwards they are checked.
        pins = ("--requirement", str(self.pins), "--editable", str(CHECKOUT))
        self._pip("install", "--quiet", "--no-deps", "--no-compile", *pins)
        self._pip("check")
        self._stamp.write_text(self._recipe)

    @property
    def _stamp(self) -> Path:
        return self.folder / "installed.txt"

    @property
    def _recipe(self) -> str:
        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
        version = f"python {sys.version_info.major}.{sys.version_info.minor}"
        return "\n".join([version, *project["dependencies"], self.pins.read_text()])

    def _pip(self, *arguments: str) -> None:
        ended = subprocess.run(  # noqa: S603  # our own words
            [sys.executable, "-m", "pip", "--python", str(self.python), *arguments],
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if ended.returncode:
            tail = ended.stdout.splitlines()[-_TAIL_LINES:]
            said = "\n".join([f"pip {arguments[0]} failed. It said last:", *tail])
            raise InstallationFailed(said)


def framework(name: str) -> Environment:
    """The environment of one framework."""
    pins = CHECKOUT / "constraints" / "frameworks" / f"{name}.txt"
    return Environment(CHECKOUT / ".frameworks" / name, pins)


OLDEST = Environment(CHECKOUT / ".oldest", CHECKOUT / "constraints" / "oldest.txt")

FUZZ = Environment(CHECKOUT / ".fuzz", CHECKOUT / "constraints" / "fuzz.txt")

FRAMEWORKS = {
    path.stem: framework(path.stem)
    for path in sorted((CHECKOUT / "constraints" / "frameworks").glob("*.txt"))
}


def main() -> None:
    """Install what is missing of what the command line names, and say so."""
    named = {"frameworks": FRAMEWORKS, "oldest": {"oldest": OLDEST}, "fuzz": {"fuzz": FUZZ}}
    wanted = {name: each for word in sys.argv[1:] for name, each in named[word].items()}
    missing = {name: each for name, each in wanted.items() if not each.is_installed}
    if not missing:
        return
    _say(f"Installing the environments of {', '.join(missing)} (once) ...")
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {name: pool.submit(each.install) for name, each in missing.items()}
    for name, installation in running.items():
        if isinstance(error := installation.exception(), InstallationFailed):
            sys.exit(f"The environment of {name} could not be installed: {error}")
        installation.result()
    _say(f"... done in {time.monotonic() - started:.0f} s.")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command for people


if __name__ == "__main__":
    main()
