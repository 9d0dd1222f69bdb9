"""The pages and plots of what was measured, for the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench import js_sdk, plot
from tests.bench.figures import HEADINGS, Figure, Skipped
from tests.bench.growth import ClientCost, LookupCost

FOLDER = js_sdk.CHECKOUT / "docs" / "proof"

_BENCHMARKS = """\
# Benchmarks

`make bench` wrote this page, on a machine with {machine}.
The median of several rounds counts.
Most figures are ratios, of two things that were measured in turn in one run.

{table}

![Each figure as a share of its target](benchmarks.svg)

*Bare hashlib* is a loop that does nothing but SHA-256 over bytes that are ready.
*matrix-js-sdk's* is its `identityHashedLookup` in node, with the same addresses at the same server.
It was {js_sdk}.
"""

_GROWTH = """\
# Growth

`make bench` wrote this page, on a machine with {machine}.


## With addresses

One lookup of so many addresses over loopback, at a server in another process.
Time is for one address, in units of one bare SHA-256.
Memory is what the lookup holds at most, beside the addresses.
{js_sdk}

{lookups}

![Time for one address](growth-addresses.svg)

![Memory of a lookup](growth-memory.svg)


## With clients

So many clients in one process, each of a user of its own, that have synced and whose gate is open.
Memory is for one client, beside what a plain client of nio holds after its first sync.
Opening is the processor time for a first sync and the way through the gate.
Its unit is a plain client's first sync.

{clients}

![Memory of one client](growth-clients.svg)
"""


def write_benchmarks(figures: Sequence[Figure | Skipped], folder: Path = FOLDER) -> None:
    """Write the page of the ratios, and its plot."""
    skipped = [figure.reason for figure in figures if isinstance(figure, Skipped)]
    text = _BENCHMARKS.format(
        machine=_machine(),
        table=_table(HEADINGS, (figure.row for figure in figures)),
        js_sdk=f"not measured: {skipped[0]}" if skipped else js_sdk.version(),
    )
    _write(folder / "benchmarks.md", text)
    measured = [figure for figure in figures if isinstance(figure, Figure)]
    _write(folder / "benchmarks.svg", plot.shares(measured))


def write_growth(
    lookups: Sequence[LookupCost],
    clients: Sequence[ClientCost],
    *,
    without_js_sdk: str | None = None,
    folder: Path = FOLDER,
) -> None:
    """Write the page of how cost grows, and its plots.

    Args:
        lookups: The costs of lookups, by size.
        clients: The costs of clients, by number.
        without_js_sdk: Why matrix-js-sdk was not measured, if it was not.
        folder: Where to.
    """
    reason = without_js_sdk and f"matrix-js-sdk was not measured: {without_js_sdk}."
    text = _GROWTH.format(
        machine=_machine(),
        js_sdk=reason or f"Beside it {js_sdk.version()}, which sends all addresses at once.",
        lookups=lookup_table(lookups),
        clients=client_table(clients),
    )
    _write(folder / "growth.md", text)
    ours = [(each.addresses, each.per_address) for each in lookups]
    theirs = [(each.addresses, each.js_sdk) for each in lookups if each.js_sdk is not None]
    times = {"lookup": ours, "matrix-js-sdk": theirs} if theirs else {"lookup": ours}
    memory = {"lookup": [(each.addresses, each.memory) for each in lookups]}
    crowd = {"client": [(each.clients, each.memory) for each in clients]}
    pictures = {
        "growth-addresses": plot.curves("addresses", "time for one, in bare SHA-256", times),
        "growth-memory": plot.curves("addresses", "memory, MiB", memory),
        "growth-clients": plot.curves("clients", "memory for one, KiB", crowd),
    }
    for name, picture in pictures.items():
        _write(folder / f"{name}.svg", picture)


def lookup_table(costs: Iterable[LookupCost]) -> str:
    """Lay the costs of lookups out, by size."""
    headings = ("addresses", "time for one", "matrix-js-sdk's", "memory, MiB")
    return _table(headings, map(_lookup_row, costs))


def client_table(costs: Iterable[ClientCost]) -> str:
    """Lay the costs of clients out, by number."""
    return _table(("clients", "memory for one, KiB", "opening"), map(_client_row, costs))


def _lookup_row(cost: LookupCost) -> Sequence[str]:
    theirs = "-" if cost.js_sdk is None else _short(cost.js_sdk)
    return (f"{cost.addresses:,}", _short(cost.per_address), theirs, _short(cost.memory))


def _client_row(cost: ClientCost) -> Sequence[str]:
    return (f"{cost.clients:,}", _short(cost.memory), _short(cost.opening))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(headings)
    return "\n".join("| " + " | ".join(row) + " |" for row in (headings, rule, *rows))


def _machine() -> str:
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{os.cpu_count()} processors and Python {version}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
