"""What importing the package costs over importing nio, each time in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from tests.bench.figures import Figure

IMPORT_MS = 30.0

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
