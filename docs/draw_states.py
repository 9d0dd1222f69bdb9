"""Draws ``explanation/state-diagram.md`` and its picture from the table in ``choice.py``.

So neither can lie. ``python docs/draw_states.py`` writes them; a test fails when they differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import hypot
from pathlib import Path

from nio_identity_server.preference.account_data import NotSet
from nio_identity_server.preference.choice import IN_DOUBT, TRANSITIONS, Choice, Saying, Standing
from nio_identity_server.preference.evidence import Witness

FOLDER = Path(__file__).parent / "explanation"
PAGE = FOLDER / "state-diagram.md"
PICTURE = FOLDER / "states.svg"

_TEXT = """\
# How what is known changes

This page is drawn from `nio_identity_server/preference/choice.py` by `docs/draw_states.py`.
What the witnesses are is told in [Why calls wait](gate.md#how-the-choice-becomes-known).

![The states and what leads from one to another](states.svg)

It begins with *{start}*.
Calls go out in the states with a thick border.
Arrows that lead back to where they start are left out; the tables have them.

{arrows}


## What a witness says

{table}


## What happens without a witness

{rest}
"""


def page() -> str:
    """The whole page."""
    arrows = "\n".join(
        f"{number}. {start.value} → {end.value}: {', '.join(causes)}"
        for number, (start, end, causes) in enumerate(_arrows(), 1)
    )
    start = Choice().standing.value
    return _TEXT.format(start=start, arrows=arrows, table=_table(), rest=_rest())


def _ends(standing: Standing, witness: Witness) -> dict[Standing, list[Saying]]:
    """Where a witness leads to, and by which sayings."""
    row: Mapping[Saying, Standing] = TRANSITIONS[standing][witness]
    ends: dict[Standing, list[Saying]] = {}
    for saying in Saying:
        if saying is not Saying.DOUBT or standing in IN_DOUBT:
            ends.setdefault(row[saying], []).append(saying)
    return ends


def _arrows() -> list[tuple[Standing, Standing, list[str]]]:
    """What leads from one state to another, and by which words of which witnesses."""
    causes: dict[tuple[Standing, Standing], list[str]] = {}
    for standing in Standing:
        for witness in Witness:
            ends = _ends(standing, witness)
            for end, sayings in ends.items():
                what = "" if len(ends) == 1 else " says " + " or ".join(map(_say, sayings))
                if end is not standing:
                    causes.setdefault((standing, end), []).append(witness.value + what)
    return [(start, end, what) for (start, end), what in causes.items()]


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


# Where each state stands in the picture, in pixels from the upper left corner.
_PLACES = {
    Standing.UNKNOWN: (100, 150),
    Standing.PROVISIONAL: (430, 60),
    Standing.DOUBTED: (760, 60),
    Standing.CONFIRMED: (340, 240),
    Standing.LOST: (100, 420),
    Standing.AHEAD: (480, 420),
    Standing.DOUBTED_AHEAD: (760, 420),
}
_WIDTH, _HEIGHT = 860, 480
_HALF = (66, 20)  # of the box of a state: to its side, to its top
_BOW = 44  # how far an arrow is drawn to its right, so that two between the same states part

_FRAME = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" \
font-family="sans-serif" font-size="15" text-anchor="middle">
<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#fff"/>
"""


def picture() -> str:
    """The picture, as SVG: each state a box, each arrow with the number that the page explains."""
    return _FRAME + "\n".join([*_drawn_arrows(), *_drawn_states(), "</svg>\n"])


def _drawn_states() -> Iterator[str]:
    side, top = _HALF
    for standing in Standing:
        x, y = _PLACES[standing]
        border = 4 if Choice(standing).is_settled else 1
        yield (
            f'<rect x="{x - side}" y="{y - top}" width="{2 * side}" height="{2 * top}" rx="8" '
            f'fill="#eef3f8" stroke="#456" stroke-width="{border}"/>'
            f'<text x="{x}" y="{y + 5}">{standing.value}</text>'
        )


def _drawn_arrows() -> Iterator[str]:
    for number, (start, end, _) in enumerate(_arrows(), 1):
        (x1, y1), (x2, y2) = _PLACES[start], _PLACES[end]
        length = hypot(x2 - x1, y2 - y1)
        # The point that the curve bends to, and the middle of the curve.
        bend_x = (x1 + x2) / 2 - (y2 - y1) / length * _BOW
        bend_y = (y1 + y2) / 2 + (x2 - x1) / length * _BOW
        x, y = (x1 + x2 + 2 * bend_x) / 4, (y1 + y2 + 2 * bend_y) / 4
        from_x, from_y = _edge(x1, y1, bend_x, bend_y)
        to_x, to_y = _edge(x2, y2, bend_x, bend_y)
        yield (
            f'<path d="M{from_x:.0f} {from_y:.0f}Q{bend_x:.0f} {bend_y:.0f} {to_x:.0f} {to_y:.0f}" '
            f'fill="none" stroke="#456" stroke-width="1.5"/>{_tip(to_x, to_y, bend_x, bend_y)}'
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="11" fill="#fff" stroke="#456"/>'
            f'<text x="{x:.0f}" y="{y + 4:.0f}" font-size="12">{number}</text>'
        )


def _tip(x: float, y: float, from_x: float, from_y: float) -> str:
    """The head of an arrow that comes from a point."""
    length = hypot(x - from_x, y - from_y)
    along_x, along_y = (x - from_x) / length, (y - from_y) / length
    back_x, back_y = x - 11 * along_x, y - 11 * along_y
    left = f"{back_x + 4 * along_y:.0f} {back_y - 4 * along_x:.0f}"
    right = f"{back_x - 4 * along_y:.0f} {back_y + 4 * along_x:.0f}"
    return f'<path d="M{x:.0f} {y:.0f}L{left}L{right}z" fill="#456"/>'


def _edge(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Where the line from the middle of a box to a point leaves the box."""
    side, top = _HALF
    part = 1 / max(abs(to_x - x) / (side + 3), abs(to_y - y) / (top + 3))
    return x + (to_x - x) * part, y + (to_y - y) * part


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
