"""The tests in Python's other modes: ``python -m tests.modes [MODE ...]``.

They are the tests without real servers, each mode in a process of its own. Figures go to
``.proof/modes.json``.

``python -O`` removes the asserts of what it compiles, but not those of tests: pytest has compiled
them into ``if`` statements by then, also in the modules that tests share (see ``conftest.py``). So
what a test finds in these modes is found; ``test_modes.py`` shows it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import attrs

from tests.environments import CHECKOUT
from tests.proof import findings

# Pytest says that it cannot help modules that are no tests; and -OO takes from its own plugin the
# docstring that keeps it from being rewritten.
_OPTIMISED = (
    *("-W", "ignore:assertions not in test modules"),
    *("-W", "ignore:Module already imported"),
)
_UNIT = ("--ignore=tests/real", "--ignore=tests/frameworks", "--ignore=tests/test_modes.py")
_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


@attrs.frozen
class Mode:
    """A way to run Python.

    Attributes:
        options: Python's.
        variables: Of the environment.
        pytest: More options of pytest.
    """

    options: Sequence[str] = ()
    variables: Mapping[str, str] = attrs.field(factory=dict)
    pytest: Sequence[str] = ()


MODES = {
    "-X dev": Mode(options=("-X", "dev")),
    "asyncio debug": Mode(variables={"PYTHONASYNCIODEBUG": "1"}),
    "-O": Mode(options=("-O",), pytest=_OPTIMISED),
    "-OO": Mode(options=("-OO",), pytest=_OPTIMISED),
}


@attrs.frozen
class Outcome:
    """How the tests ended.

    Attributes:
        status: Pytest's exit status.
        counts: How many passed, failed, and so on.
        output: What it wrote.
    """

    status: int
    counts: Mapping[str, int]
    output: str = attrs.field(repr=False)


def run(mode: Mode, *arguments: str) -> Outcome:
    """Run tests in a mode, in a process of its own."""
    common = ("-m", "pytest", "--quiet", "-p", "no:cacheprovider", "--show-capture=no")
    ended = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, *mode.options, *common, *mode.pytest, *arguments],
        env={**os.environ, **mode.variables},
        cwd=CHECKOUT,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    last = ended.stdout.strip().rpartition("\n")[2]
    counts = {name: int(number) for number, name in _COUNT.findall(last)}
    return Outcome(ended.returncode, counts, ended.stdout)


def main() -> int:
    """Give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.modes")
    parser.add_argument("modes", nargs="*", metavar="MODE", help="asyncio debug, -X dev, -O, -OO")
    named, arguments = parser.parse_known_args()
    modes = named.modes or list(MODES)
    figures: dict[str, int] = {}
    failed = []
    for name in modes:
        started = time.monotonic()
        outcome = run(MODES[name], *_UNIT, *arguments)
        counts = {**outcome.counts, "seconds": round(time.monotonic() - started)}
        figures |= {f"{name}: {what}": number for what, number in counts.items()}
        _say(f"{name}: {counts}")
        if outcome.status:
            failed.append(name)
            _say("\n".join(outcome.output.splitlines()[-60:]))
    findings.write(
        "Modes",
        target="all pass: no check is an assert, nothing needs a docstring",
        figures=figures,
    )
    return 1 if failed else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command for people


if __name__ == "__main__":
    sys.exit(main())
