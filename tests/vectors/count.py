"""How many fixed inputs each parser is tested with: ``python -m tests.vectors.count``.

An input counts once for the table in which it stands, however many tests or endpoints read it. The
sum goes to ``.proof/vectors.json``.
"""

from __future__ import annotations

import sys
from collections.abc import Sized

from tests.fuzz.corpus import kept
from tests.fuzz.targets import ENDPOINTS, TARGETS
from tests.proof.findings import write
from tests.vectors import (
    addresses,
    base_urls,
    contents,
    filters,
    invite_links,
    json_bodies,
    mappings,
    replies,
    terms,
)

TARGET = 1_000


def _sizes(*tables: Sized) -> int:
    return sum(len(table) for table in tables)


VECTORS = {
    "base URL": _sizes(base_urls.ACCEPTED, base_urls.REFUSED, base_urls.ID_SERVERS),
    "IP addresses": len(addresses.FORBIDDEN) + len(addresses.PUBLIC),
    "account data": len(contents.UNUSABLE),
    "sync filters": len(filters.SHOWING) + len(filters.HIDING),
    "strict JSON": len(json_bodies.ACCEPTED) + len(json_bodies.REFUSED),
    "replies": len(replies.HOSTILE),
    "lookup mappings": _sizes(mappings.FOREIGN, mappings.NOT_USERS, mappings.WRONG_SHAPES),
    "terms": _sizes(
        terms.USABLE_URLS, terms.UNUSABLE_URLS, terms.MISLEADING_URLS, terms.WRONG_FORM
    ),
    "links of invitations": len(invite_links.REFUSED),
    "corpus of the fuzzer": sum(len(kept(name)) for name in TARGETS),
}


def figures() -> dict[str, int]:
    """The figures of the proof."""
    return {
        "fixed vectors": sum(VECTORS.values()),
        "parsers with property tests": len(TARGETS),
        "endpoints": len(ENDPOINTS),
        "bad replies": len(replies.HOSTILE) * len(ENDPOINTS),
        **VECTORS,
    }


def main() -> int:
    """Give the exit status."""
    counted = figures()
    write(
        "Hostile vectors",
        target=f"at least {TARGET} fixed vectors",
        figures=counted,
    )
    for name, number in counted.items():
        print(f"{name}: {number}")  # noqa: T201  # a command for people
    return 0 if counted["fixed vectors"] >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
