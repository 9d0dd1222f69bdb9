"""A bar that shows how far a long command came; on terminals only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[int, int], None]


def show_nothing(_position: int, _count: int) -> None:
    """Where nobody sees it."""


@contextmanager
def progress_bar(total: int | None, to_file: bool) -> Iterator[Show]:  # noqa: FBT001
    """Show a bar with a rate and the time that is left, while a block runs.

    There is none if the results come up on the same terminal, where they show it too.

    Args:
        total: Where the bar ends; None if nobody knows, and then no time is left to show.
        to_file: Whether the results go to a file.

    Yields:
        Called with how far it came in the unit of ``total``, and how many addresses that are.
    """
    if not sys.stderr.isatty() or (sys.stdout.isatty() and not to_file):
        yield show_nothing
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
    bar = Progress(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,} addresses"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    )
    with bar:
        task = bar.add_task("", total=total, count=0, rate="")

        def show(position: int, count: int) -> None:
            elapsed = bar.tasks[task].elapsed or 0
            rate = f"{count / elapsed:,.0f}/s" if elapsed else ""
            bar.update(task, completed=position, count=count, rate=rate)

        yield show
