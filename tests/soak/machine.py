"""The state machine of ``tests/machine``, run for long and counted."""

from __future__ import annotations

import logging

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.stage import Stage


def be_quiet() -> None:
    """Log nothing: each retry would be told, and there are thousands."""
    logging.basicConfig(level=logging.CRITICAL)


def run_machine(*, examples: int, steps: int) -> tuple[int, int]:
    """Run it so often, with so many steps each; gives how many runs and steps there were.

    Raises:
        AssertionError: Something was said that must not be said, or hangs.
    """
    runs = taken = 0

    class Counted(Machine):
        """The machine with a count of its runs and steps."""

        @invariant()
        def nothing_was_wrong(self) -> None:
            """The judge has found nothing so far."""
            nonlocal taken
            taken += 1
            super().nothing_was_wrong()

        def teardown(self) -> None:
            """Let everything end, and look at what is left."""
            nonlocal runs
            runs += 1
            super().teardown()

    with Stage() as stage:
        run_state_machine_as_test(
            Counted.on(stage),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    return runs, taken
