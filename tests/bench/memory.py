"""What a client costs that has the mixin and never uses it."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

from nio import AsyncClient

from tests.bench.figures import Figure
from tests.bench.syncs import Bot

UNUSED_BYTES = 1024.0


def unused_clients(rounds: int, clients: int) -> Figure:
    """Compare as many clients with the mixin as without."""
    samples = []
    for _ in range(rounds):
        plain, mixed = (_size(kind, clients) for kind in (AsyncClient, Bot))
        samples.append((mixed - plain) / clients)
    return Figure("memory of an unused client", UNUSED_BYTES, "bytes", samples)


def _size(kind: Callable[..., Any], number: int) -> int:
    """The bytes that live on after making so many."""
    keep = [kind("https://matrix.example.org", "@alice:example.org")]  # what is made only once
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        keep.extend(
            kind("https://matrix.example.org", f"@alice{index}:example.org")
            for index in range(number)
        )
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before
