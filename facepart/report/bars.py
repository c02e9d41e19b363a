"""What parts are worth as bars: part by part in the order of the ranking, the groups of each side by side.

A line with two ends over a bar is its 95 % interval. With a control, a bar is what a part is worth beyond its size,
and a small circle stands where the shift itself lies.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.ranking import IMPORTANCE, Ranked
from facepart.analysis.results import WITHIN
from facepart.report.content import Content
from facepart.report.markup import bracketed, escape, part_name, signed

# Colours of groups in report.css; with more groups they come round again, and the names beside the bars tell.
GROUP_COLOURS = 6
# Pixels.
_BAR, _HEADING, _GAP, _CAP = 13, 19, 9, 3
# Per cent of the width that the longest bar and interval take, without and with a control; the rest is for figures.
_ROOM, _ROOM_BESIDE_TWO = 66.0, 55.0
_LONGEST_NAME = 16


class Bar(NamedTuple):
    """What is drawn of a part in a group: what it is worth, and with a control the shift itself, else NaN."""

    worth: Interval
    shift: float


def worth_bars(content: Content, ranking: Sequence[Ranked]) -> str:
    """Draw what every part is worth in every group.

    Widths are in per cent and heights in pixels, so that the figures stay legible in a narrow window.
    """
    names = [group.name for group in content.groups]
    bars = _bars(content)
    ends = [
        end for bar in bars.values() for end in (*bar.worth[2:], bar.worth.value, bar.shift) if math.isfinite(end)
    ]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    scale = (_ROOM_BESIDE_TWO if content.ranked_by == IMPORTANCE else _ROOM) / ((high - low) or 1.0)
    zero = -low * scale
    pieces, top = [], 0
    for ranked in ranking:
        pieces.append(f'<text class="part" y="{top + 14}">{escape(part_name(ranked.part))}</text>')
        top += _HEADING
        last = top + _BAR * len(names)
        pieces.append(f'<line class="axis" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="{top}" y2="{last}"/>')
        for number, name in enumerate(names):
            bar = bars.get((name, ranked.part), Bar(UNKNOWN, math.nan))
            beside = _beside(name) if len(names) > 1 else ""
            pieces.append(_drawn(bar, zero, scale, top, f"g{number % GROUP_COLOURS}", beside))
            top += _BAR
        top += _GAP
    return (
        f'<svg class="bars" role="img" width="100%" height="{top}"><title>{escape(_told(content, ranking, bars))}'
        f"</title>{''.join(pieces)}</svg>"
    )


def _bars(content: Content) -> Mapping[tuple[str, str], Bar]:
    shifts = {}
    if content.ranked_by == IMPORTANCE:
        for row in content.results:
            if (row.comparison, row.occlusion) == (WITHIN, content.occlusion):
                shifts[row.group, row.part] = row.impostor_shift.value
    return {
        (group.name, ranked.part): Bar(ranked.effect, shifts.get((group.name, ranked.part), math.nan))
        for group in content.groups
        for ranked in content.rankings[group.name]
    }


def _drawn(bar: Bar, zero: float, scale: float, top: int, colour: str, beside: str) -> str:
    value, _, low, high = bar.worth
    length = value * scale if math.isfinite(value) else 0.0
    middle, end = top + _BAR / 2, zero + max(length, 0.0)
    pieces = [
        f'<rect class="{colour}" x="{zero + min(length, 0.0):.2f}%" y="{top + 1}" '
        f'width="{abs(length):.2f}%" height="{_BAR - 2}"/>'
    ]
    if math.isfinite(low):
        ends = [f"{zero + side * scale:.2f}%" for side in (low, high)]
        pieces += [
            f'<line class="{kind}" x1="{ends[0]}" x2="{ends[1]}" y1="{middle}" y2="{middle}"/>'
            + "".join(
                f'<line class="{kind}" x1="{x}" x2="{x}" y1="{middle - _CAP}" y2="{middle + _CAP}"/>' for x in ends
            )
            # A line in the colour of the page around a dark one: seen on any bar.
            for kind in ("around", "whisker")
        ]
        end = max(end, zero + high * scale)
    written = signed(value)
    if math.isfinite(bar.shift):
        pieces.append(f'<circle class="raw" cx="{zero + bar.shift * scale:.2f}%" cy="{middle}" r="3.2"/>')
        end = max(end, zero + bar.shift * scale)
        written += f" ○ {signed(bar.shift)}"
    figure = f'<tspan class="figure">{written}</tspan>'
    return f'{"".join(pieces)}<text x="{end:.2f}%" dx="8" y="{top + 10}">{figure}{beside}</text>'


def _beside(name: str) -> str:
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    return f' <tspan class="group">{escape(short)}</tspan>'


def _told(content: Content, ranking: Sequence[Ranked], bars: Mapping[tuple[str, str], Bar]) -> str:
    several = len(content.groups) > 1
    parts = []
    for ranked in ranking:
        figures = []
        for group in content.groups:
            worth = bars[group.name, ranked.part].worth
            figures.append(
                f"{group.name if several else ''} {signed(worth.value)} {bracketed(worth, signed)}".strip()
            )
        parts.append(f"{part_name(ranked.part)} {', '.join(figures)}")
    what = "importance" if content.ranked_by == IMPORTANCE else "shift of the mean impostor score"
    return f"Bars: {what} by part{' and group' if several else ''}, with 95 % intervals. {'; '.join(parts)}."
