"""The machine, run many times: ``MACHINE_EXAMPLES`` runs of ``MACHINE_STEPS`` steps."""

from __future__ import annotations

import gc
import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Machine
from .stage import Stage


def test_nothing_is_said_that_must_not_be_said_and_nothing_hangs() -> None:
    """No byte goes where the rules forbid it, whatever happens, and everything ends."""
    with Stage() as stage:
        run_state_machine_as_test(
            Machine.on(stage),
            settings=settings(
                max_examples=int(os.environ.get("MACHINE_EXAMPLES", "200")),
                stateful_step_count=int(os.environ.get("MACHINE_STEPS", "30")),
                deadline=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    gc.collect()
