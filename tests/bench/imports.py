"""What importing the package costs over importing nio, each time in a new process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from tests.bench.figures import Figure

IMPORT_MS = 30.0

HELP_RATIO = 1.5

# Both are timed in one process, one after the other: the difference between two processes would
# drown in the noise of nio's own import.
_PROGRAM = """
import time
began = time.process_time()
import nio
middle = time.process_time()
import nio_identity_server
from nio_identity_server import IdentityServerMixin
print(middle - began, time.process_time() - middle)
"""


def over_nio(rounds: int) -> Figure:
    """Measure it with everything compiled, as an installed package is."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _measure(environment)  # compiles
        samples = [_measure(environment) * 1e3 for _ in range(rounds)]
    return Figure("import, over nio's own", IMPORT_MS, "ms", samples)


def help_of_the_command(rounds: int) -> Figure:
    """What ``--help`` of the command takes, in what its libraries alone take."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = ["-m", "nio_identity_server.cli", "--help"]
        bare = ["-c", "import click, rich"]
        _seconds(environment, *command), _seconds(environment, *bare)  # compiles
        samples = [
            _seconds(environment, *command) / _seconds(environment, *bare) for _ in range(rounds)
        ]
    return Figure("--help of the command / click and rich", HELP_RATIO, "x", samples)


def _seconds(environment: Mapping[str, str], *arguments: str) -> float:
    """Processor time of a program, which does not depend on what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, *arguments], check=True, capture_output=True, env=environment
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _measure(environment: Mapping[str, str]) -> float:
    ended = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", _PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    _, ours = map(float, ended.stdout.split())
    return ours
