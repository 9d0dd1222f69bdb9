"""Draws ``state-diagram.md`` from the table in ``preference/choice.py``, so that it cannot lie.

``python docs/draw_states.py`` writes it; a test fails when it differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nio_identity_server.preference.account_data import NotSet
from nio_identity_server.preference.choice import IN_DOUBT, TRANSITIONS, Choice, Saying, Standing
from nio_identity_server.preference.evidence import Witness

PAGE = Path(__file__).with_name("state-diagram.md")

_TEXT = """\
# How what is known changes

This page is drawn from `nio_identity_server/preference/choice.py` by `docs/draw_states.py`.
The [explanation](explanation.md) says what the witnesses are, and how far each is trusted.

Arrows that lead back to where they start are left out; the tables have them.

```mermaid
stateDiagram-v2
    [*] --> {start}
{arrows}
```


## What a witness says

{table}


## What happens without a witness

{rest}

Calls go out in: {settled}.
"""


def page() -> str:
    """The whole page."""
    return _TEXT.format(
        start=_name(Choice().standing),
        arrows="\n".join(_arrows()),
        table=_table(),
        rest=_rest(),
        settled=", ".join(each.value for each in Standing if Choice(each).is_settled),
    )


def _name(standing: Standing) -> str:
    return standing.value.replace(" ", "_")


def _ends(standing: Standing, witness: Witness) -> dict[Standing, list[Saying]]:
    """Where a witness leads to, and by which sayings."""
    row: Mapping[Saying, Standing] = TRANSITIONS[standing][witness]
    ends: dict[Standing, list[Saying]] = {}
    for saying in Saying:
        if saying is not Saying.DOUBT or standing in IN_DOUBT:
            ends.setdefault(row[saying], []).append(saying)
    return ends


def _arrows() -> list[str]:
    labels: dict[tuple[Standing, Standing], list[str]] = {}
    for standing in Standing:
        for witness in Witness:
            ends = _ends(standing, witness)
            for end, sayings in ends.items():
                what = "" if len(ends) == 1 else " says " + " or ".join(map(_say, sayings))
                if end is not standing:
                    labels.setdefault((standing, end), []).append(witness.value + what)
    return [
        f"    {_name(start)} --> {_name(end)}: {', '.join(label)}"
        for (start, end), label in labels.items()
    ]


def _say(saying: Saying) -> str:
    return saying.value


def _table() -> str:
    lines = ["| known so far | " + " | ".join(each.value for each in Witness) + " |"]
    lines.append("|---" * (len(Witness) + 1) + "|")
    for standing in Standing:
        cells = [_cell(_ends(standing, witness)) for witness in Witness]
        lines.append(f"| **{standing.value}** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(ends: Mapping[Standing, list[Saying]]) -> str:
    if len(ends) == 1:
        return next(iter(ends)).value
    return "; ".join(
        f"{' or '.join(map(_say, sayings))}: {end.value}" for end, sayings in ends.items()
    )


def _rest() -> str:
    causes = ("no sync was watched for long", "reading again failed", "a write of unknown end")
    lines = [f"| known so far | {' | '.join(causes)} |", "|---|---|---|---|"]
    for standing in Standing:
        choice = Choice(standing, known=None if standing is Standing.UNKNOWN else NotSet())
        ends = (choice.expired(), choice.unread(), choice.lost())
        cells = [each.standing.value for each in ends]
        lines.append(f"| **{standing.value}** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
