"""Many addresses, some of which are on Matrix."""

from __future__ import annotations

from pathlib import Path

from tests.cli.stage import Stage

MANY = 12_345
LOOKUP = "/_matrix/identity/v2/lookup"


def crowd(it: Stage, every: int = 100) -> Path:
    """Many addresses in a file, of which some are bound."""
    for number in range(0, MANY, every):
        it.a.bind("email", f"p{number}@x.test", f"@p{number}:x.test")
    return it.file("list.txt", "".join(f"P{number}@x.test\n" for number in range(MANY)))


def asked(it: Stage) -> int:
    """How many addresses the server was asked about."""
    return sum(len(each.json["addresses"]) for each in it.a.seen("POST", LOOKUP))
