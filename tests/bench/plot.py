"""Plots as SVG: a picture of its own colours, for light and for dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from tests.bench.figures import Figure

_WIDTH = 760
_LEFT, _RIGHT, _TOP, _ROW = 290, 30, 30, 28
_COLOURS = ("#3b82c4", "#d2691e")  # readable on both
_Point = tuple[float, float]
Series = Mapping[str, Sequence[_Point]]

_MOST = 1.5  # times its target, beyond which a range is cut off

# The other colours follow the reader's system.
_STYLE = """\
<style>
text{fill:#222}.card{fill:#fff}.axis{stroke:#bbb}.range{stroke:#4a7fb5}.target{stroke:#c53030}
@media(prefers-color-scheme:dark){
text{fill:#ddd}.card{fill:#1b1e23}.axis{stroke:#555}.range{stroke:#7fb0e0}.target{stroke:#fc8181}
}
</style>
"""


def shares(figures: Sequence[Figure]) -> str:
    """Each figure from its least to its most, with its median, as shares of its target."""
    bottom = _TOP + _ROW * len(figures)
    scale = (_WIDTH - _LEFT - _RIGHT) / _MOST

    def x(value: float, figure: Figure) -> float:
        return _LEFT + scale * min(_MOST, max(0.0, value / figure.target))

    parts = [_line((_LEFT + scale, _TOP - 10), (_LEFT + scale, bottom), "target")]
    parts += [
        _text(_LEFT + scale * share, bottom + 18, name)
        for share, name in ((0, "0"), (0.5, "half"), (1, "target"), (_MOST, f"{_MOST:g} x"))
    ]
    for number, figure in enumerate(figures):
        y = _TOP + _ROW * number + 10
        ends = (x(min(figure.samples), figure), x(max(figure.samples), figure))
        middle = x(figure.median, figure)
        parts.append(_text(_LEFT - 10, y + 4, figure.name, "end"))
        parts.append(_line((ends[0] - 1, y), (ends[1] + 1, y), "range", 3))
        parts.append(_line((middle, y - 8), (middle, y + 8), "range", 4))
    return _card(bottom + 34, parts)


def curves(x_name: str, y_name: str, series: Series) -> str:
    """Points joined by lines, on axes that count powers of ten."""
    points = [point for each in series.values() for point in each]
    height, left, right, bottom = 340, 70, _WIDTH - _RIGHT, 290
    x_ends, y_ends = (_decades(column) for column in zip(*points, strict=True))

    def place(x: float, y: float) -> _Point:
        return (
            left + (log10(x) - x_ends[0]) / (x_ends[1] - x_ends[0]) * (right - left),
            bottom - (log10(y) - y_ends[0]) / (y_ends[1] - y_ends[0]) * (bottom - 50),
        )

    parts = [_text(20, 28, y_name, "start"), _text(right, height - 8, x_name, "end")]
    for power in range(x_ends[0], x_ends[1] + 1):
        x, _ = place(10**power, 10 ** y_ends[0])
        parts += [_line((x, 50), (x, bottom), "axis"), _text(x, bottom + 20, f"{10**power:,}")]
    for power in range(y_ends[0], y_ends[1] + 1):
        _, y = place(10 ** x_ends[0], 10**power)
        parts += [_line((left, y), (right, y), "axis")]
        parts += [_text(left - 8, y + 4, f"{10.0**power:,g}", "end")]
    for number, (name, each) in enumerate(series.items()):
        colour = _COLOURS[number]
        parts += _curve([place(*point) for point in each], colour)
        parts.append(_text(right - 8, 70 + 20 * number, name, "end", colour))
    return _card(height, parts)


def _decades(values: Iterable[float]) -> tuple[int, int]:
    """The powers of ten around some values."""
    logarithms = [log10(value) for value in values]
    first = floor(min(logarithms))
    return first, max(ceil(max(logarithms)), first + 1)


def _curve(places: Sequence[_Point], colour: str) -> Iterator[str]:
    path = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in places:
        yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/>'


def _card(height: float, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        'font-family="sans-serif" font-size="13">\n'
    )
    card = f'<rect class="card" width="{_WIDTH}" height="{height:.0f}" rx="8"/>'
    return head + _STYLE + "\n".join([card, *parts, "</svg>\n"])


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = "") -> str:
    style = f' style="fill:{colour}"' if colour else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _line(start: _Point, end: _Point, kind: str, width: int = 1) -> str:
    (x1, y1), (x2, y2) = start, end
    ends = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
    return f'<line class="{kind}" {ends} stroke-width="{width}"/>'
