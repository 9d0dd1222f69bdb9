"""Fuzz the parsers with atheris: ``python -m tests.fuzz [TARGET ...] [--seconds 60]``.

It starts from the corpus that is kept, and from what earlier runs found in ``build/fuzz``. What
breaks a target is left there too, as ``TARGET-crash-...``: it belongs into ``tests/fuzz/kept``,
with what mends it. Figures go to ``.proof/fuzz.json``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.environments import CHECKOUT
from tests.fuzz.corpus import KEPT
from tests.fuzz.targets import TARGETS
from tests.proof import findings

FOUND = CHECKOUT / "build" / "fuzz"
_LONGEST = 4096
"""Bytes of an input; what is longer than allowed has vectors of its own."""

_SLOWEST = 5
"""Seconds that one input may take."""

_UNITS = re.compile(r"number_of_executed_units:\s*(\d+)")


def main() -> int:
    """Give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    options = parser.parse_args()
    targets = options.targets or list(TARGETS)
    unknown = [name for name in targets if name not in TARGETS]
    if unknown:
        parser.error(f"there is no target {', '.join(unknown)}")
    with ThreadPoolExecutor(max_workers=2) as pool:
        ended = dict(
            zip(targets, pool.map(lambda name: _fuzz(name, options.seconds), targets), strict=True)
        )
    broken = [name for name, (status, _) in ended.items() if status]
    executed = {name: units for name, (_, units) in ended.items()}
    findings.write(
        "Fuzzing",
        target="nothing comes out but a checked value or the parser's own exception",
        figures={
            "targets": len(executed),
            "findings": len(broken),
            "inputs": sum(executed.values()),
            "seconds for each": options.seconds,
            **{f"inputs for {name}": units for name, units in executed.items()},
        },
    )
    if broken:
        _say(f"\nFound something in: {', '.join(broken)}. It is in {FOUND}.")
    return 1 if broken else 0


def _fuzz(name: str, seconds: int) -> tuple[int, int]:
    """Fuzz one target in a process of its own; gives its status and the number of inputs."""
    working = FOUND / name
    working.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(  # noqa: S603  # our own words
        [
            *(sys.executable, "-m", "tests.fuzz.driver", name),
            *(f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-timeout={_SLOWEST}"),
            *("-print_final_stats=1", f"-artifact_prefix={FOUND}/{name}-"),
            *(str(working), str(KEPT / name)),
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=CHECKOUT,
    )
    units = _UNITS.search(ended.stdout)
    number = int(units[1]) if units else 0
    _say(f"{name}: {number} inputs{', FOUND SOMETHING' if ended.returncode else ''}")
    if ended.returncode:
        (FOUND / f"{name}.log").write_text(ended.stdout, encoding="utf-8")
        _say("\n".join(ended.stdout.splitlines()[-40:]))
    return ended.returncode, number


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command for people


if __name__ == "__main__":
    sys.exit(main())
