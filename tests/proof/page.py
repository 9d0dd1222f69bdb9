"""The page of all proofs: a section for each, with its figures against its target."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.proof.findings import CHECKOUT, Finding, Value

PAGE = CHECKOUT / "docs" / "proof" / "index.md"

_HEAD = """\
# Proof

What the long runs found, each figure against its target.
The runs write this page themselves; `make proof-page` writes it from what they found.

- [Benchmarks](benchmarks.md): what it costs, as ratios
- [Growth](growth.md): how cost grows with addresses and with clients

"""

_FOOT = """\

```{toctree}
:hidden:

benchmarks
growth
```
"""


def page(findings: Iterable[Finding], present: str = "") -> str:
    """Write the page anew.

    Args:
        findings: What was found here. Several of one proof share a section.
        present: The page as it is: sections of proofs that were not run here stay.
    """
    sections = _sections(present)
    new: dict[str, list[Finding]] = {}
    for finding in findings:
        new.setdefault(_line(finding.proof), []).append(finding)
    sections |= {proof: "\n\n".join(map(_findings, each)) for proof, each in new.items()}
    ordered = sorted(sections.items(), key=lambda item: item[0].casefold())
    body = "\n\n".join(f"\n## {proof}\n\n{text}" for proof, text in ordered)
    return f"{_HEAD}{body}\n{_FOOT}"


def rewrite(findings: Iterable[Finding], path: Path = PAGE) -> None:
    """Bring the page up to date."""
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(page(findings, present), encoding="utf-8")


def _sections(page: str) -> dict[str, str]:
    """The sections of a page by their headings."""
    body, *_ = page.partition("\n```{toctree}")
    _, *parts = re.split(r"^## (.+)\n", body, flags=re.MULTILINE)
    return {heading: text.strip() for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def _findings(finding: Finding) -> str:
    figures = {_cell(name): _cell(_shown(value)) for name, value in finding.figures.items()}
    rows = [f"| {name} | {value} |" for name, value in figures.items()]
    table = "\n".join(["| figure | found |", "|---|---|", *rows])
    return f"Target: {_line(finding.target)}\n\n{table}"


def _shown(value: Value) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
        case str():
            return value


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", r"\|")
