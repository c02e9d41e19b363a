"""Figures of the parts as bars; for the effects, in the order of the ranking, the groups of a part side by side.

A line with two ends over a bar is its 95 % CI. With a control, a bar is the importance of the part, and a small
circle marks its impostor shift, also of a part that is not controllable.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from facepart.analysis.choices import IMPORTANCE, SHIFT
from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.plots.palette import GROUPS
from facepart.report.coverage import MANY, why_no_rank
from facepart.report.formatting import DASH, counted, plain, signed
from facepart.report.report_data import ReportData
from facepart.report.templating import describe

# Colours of groups; with more groups they repeat, and the names beside the bars tell them apart.
GROUP_COLOURS = len(GROUPS)
# Pixels.
_BAR, _HEADING, _GAP = 13, 19, 9
_CAP = 3
# Per cent of the width that the longest bar and CI take, without and with a control; the rest is for numbers.
_ROOM, _ROOM_BESIDE_TWO = 66.0, 55.0
_LONGEST_NAME = 16


class Bar(NamedTuple):
    """A bar of a chart.

    Attributes:
        figure: how long it is, with its CI; unknown if there is none.
        name: what stands beside its figure; may be empty.
        shift: with a control, the impostor shift; else NaN.
        note: what a reader must know of it: why it has no rank, or that the part was not detected on many photos.
    """

    figure: Interval
    name: str = ""
    shift: float = math.nan
    note: str = ""


class PartBars(NamedTuple):
    """What is drawn of a part.

    Attributes:
        label: the part in words.
        bars: each in a colour of its own, from the top.
        rank: what stands beside the label; may be empty.
    """

    label: str
    bars: Sequence[Bar]
    rank: str = ""


def effect_bars(data: ReportData) -> Markup:
    """Draw the effects of the parts in every group: in the order of the ranking, then those without a rank."""
    names = [group.name for group in data.groups]
    bars = {name: _bars_of(data, name) for name in names}
    text = describe(
        "bars",
        effects={part: {name: bars[name][part].figure for name in names} for part in data.parts_in_order},
        labels={part: data.label(part) for part in data.parts_in_order},
        ranked_by=data.ranked_by,
        several_groups=data.several_groups,
    )
    parts = [PartBars(data.label(part), [bars[name][part] for name in names]) for part in data.parts_in_order]
    return bar_chart(parts, text, room=_ROOM_BESIDE_TWO if data.controlled else _ROOM)


def _bars_of(data: ReportData, group: str) -> dict[str, Bar]:
    """Choose what is drawn of a group: part -> bar; an effect without a rank, too, as far as it is known."""
    rows = data.main_rows()
    # Of the criteria, these are columns of their own; a part may have one without having a rank.
    has_column = data.ranked_by in (IMPORTANCE, SHIFT)
    ranked = {each.part: each.effect for each in data.ranking_of(group)}
    bars = {}
    for part in data.parts:
        row = rows[group, part]
        own: Interval = row.weighted(data.ranked_by, data.figures.weight) if has_column else UNKNOWN
        note = "" if part in ranked else why_no_rank([row], data.figures)
        if not note and row.undetected >= MANY * row.photos:
            note = f"{row.photos_compared:,} of {counted(row.photos, 'photo')}"
        shift = row.weighted("impostor_shift", data.figures.weight).value if data.controlled else math.nan
        bars[part] = Bar(ranked.get(part, own), group if data.several_groups else "", shift, note)
    return bars


def bar_chart(parts: Sequence[PartBars], text: str, *, room: float = _ROOM, is_change: bool = True) -> Markup:
    """Draw bars with their CIs and figures on one axis, as SVG.

    Widths are in per cent and heights in pixels, so that the numbers stay legible in a narrow window.

    Args:
        parts: from the top.
        text: says what is drawn, for readers who do not see it.
        room: per cent of the width that the longest bar and CI take.
        is_change: whether the figures are changes, which have a sign.
    """
    bars = [bar for part in parts for bar in part.bars]
    ends = [end for bar in bars for end in (bar.figure.value, bar.figure.low, bar.figure.high, bar.shift)]
    known = [0.0, *(end for end in ends if math.isfinite(end))]
    low, high = min(known), max(known)
    scale = room / ((high - low) or 1.0)
    zero = -low * scale
    pieces, top = [], 0
    for part in parts:
        pieces.append(_heading(part, top))
        top += _HEADING
        last = top + _BAR * len(part.bars)
        pieces.append(f'<line class="axis" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="{top}" y2="{last}"/>')
        for number, bar in enumerate(part.bars):
            pieces.append(_draw_bar(bar, zero, scale, top, f"g{number % GROUP_COLOURS}", is_change))
            top += _BAR
        top += _GAP
    return Markup(  # noqa: S704 - all texts are escaped
        f'<svg class="bars" role="img" width="100%" height="{top}"><title>{escape(text)}</title>'
        f"{''.join(pieces)}</svg>"
    )


def _heading(part: PartBars, top: int) -> str:
    label = escape(part.label)
    if not part.rank:
        return f'<text class="part" y="{top + 14}">{label}</text>'
    rank = f'<tspan class="group">{escape(part.rank)}</tspan>'
    return f'<text y="{top + 14}"><tspan class="part">{label}</tspan> {rank}</text>'


def _draw_bar(bar: Bar, zero: float, scale: float, top: int, colour: str, is_change: bool) -> str:
    """Draw a bar with its CI and its figure, `top` pixels down.

    In per cent of the width, `zero` is where 0 is, and `scale` how long a figure of 1 is.
    """
    value, low, high = bar.figure.value, bar.figure.low, bar.figure.high
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
    written = (signed(value) if is_change else plain(value)) if math.isfinite(value) else ""
    if math.isfinite(bar.shift):
        pieces.append(f'<circle class="raw" cx="{zero + bar.shift * scale:.2f}%" cy="{middle}" r="3.2"/>')
        end = max(end, zero + bar.shift * scale)
        written = f"{written} ○ {signed(bar.shift)}".strip()
    figure = f'<tspan class="figure">{written or DASH}</tspan>'
    return f'{"".join(pieces)}<text x="{end:.2f}%" dx="8" y="{top + 10}">{figure}{_beside(bar)}</text>'


def _beside(bar: Bar) -> str:
    """Return what follows the figure."""
    short = bar.name if len(bar.name) <= _LONGEST_NAME else bar.name[: _LONGEST_NAME - 1] + "…"
    pieces = [f' <tspan class="group">{escape(short)}</tspan>'] if short else []
    # A narrow window has no room for the note; the table has it, too.
    pieces += [f' <tspan class="group aside">{escape(bar.note)}</tspan>'] if bar.note else []
    return "".join(pieces)
