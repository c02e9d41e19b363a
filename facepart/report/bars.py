"""The effects of the parts as bars: part by part in the order of the ranking, the groups of each side by side.

A line with two ends over a bar is its 95 % CI. With a control, a bar is the importance of the part, and a small
circle marks its impostor shift, also of a part that is not controllable.
"""

import math
from collections.abc import Mapping
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
BAR, HEADING, GAP = 13, 19, 9
_CAP = 3
# Per cent of the width that the longest bar and CI take, without and with a control; the rest is for numbers.
ROOM, _ROOM_BESIDE_TWO = 66.0, 55.0
_LONGEST_NAME = 16


class Bar(NamedTuple):
    """What is drawn of a part in a group.

    Attributes:
        effect: what the part is ranked by; also without a rank, as far as it is known.
        shift: with a control, the impostor shift; else NaN.
        note: what a reader must know of it: why it has no rank, or that the part was not detected on many photos.
    """

    effect: Interval
    shift: float
    note: str


def effect_bars(data: ReportData) -> Markup:
    """Draw the effect of every part in every group, as SVG: in the order of the ranking, those without a rank last.

    Widths are in per cent and heights in pixels, so that the numbers stay legible in a narrow window.
    """
    names = [group.name for group in data.groups]
    bars = _bars(data)
    ends = [
        end for bar in bars.values() for end in (*bar.effect[2:4], bar.effect.value, bar.shift) if math.isfinite(end)
    ]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    scale = (_ROOM_BESIDE_TWO if data.controlled else ROOM) / ((high - low) or 1.0)
    zero = -low * scale
    pieces, top = [], 0
    for part in data.parts_in_order:
        pieces.append(f'<text class="part" y="{top + 14}">{escape(data.label(part))}</text>')
        top += HEADING
        last = top + BAR * len(names)
        pieces.append(f'<line class="axis" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="{top}" y2="{last}"/>')
        for number, name in enumerate(names):
            bar = bars[name, part]
            beside = _beside(name if len(names) > 1 else "", bar.note)
            pieces.append(draw_bar(bar, zero, scale, top, f"g{number % GROUP_COLOURS}", beside))
            top += BAR
        top += GAP
    text = describe(
        "bars",
        effects={part: {name: bars[name, part].effect for name in names} for part in data.parts_in_order},
        labels={part: data.label(part) for part in data.parts_in_order},
        ranked_by=data.ranked_by,
        several_groups=data.several_groups,
    )
    return Markup(  # noqa: S704 - all texts are escaped
        f'<svg class="bars" role="img" width="100%" height="{top}"><title>{escape(text)}</title>'
        f"{''.join(pieces)}</svg>"
    )


def _bars(data: ReportData) -> Mapping[tuple[str, str], Bar]:
    """Choose what is drawn: (group, part) -> bar."""
    rows, bars = data.main_rows(), {}
    # Of the criteria, these are columns of their own; a part may have one without having a rank.
    has_column = data.ranked_by in (IMPORTANCE, SHIFT)
    for group in data.groups:
        ranked = {each.part: each.effect for each in data.ranking_of(group.name)}
        for part in data.parts:
            row = rows[group.name, part]
            own: Interval = row.weighted(data.ranked_by, data.figures.weight) if has_column else UNKNOWN
            note = "" if part in ranked else why_no_rank([row], data.figures)
            if not note and row.undetected >= MANY * row.photos:
                note = f"{row.photos_compared:,} of {counted(row.photos, 'photo')}"
            shift = row.weighted("impostor_shift", data.figures.weight).value if data.controlled else math.nan
            bars[group.name, part] = Bar(ranked.get(part, own), shift, note)
    return bars


def draw_bar(
    bar: Bar, zero: float, scale: float, top: int, colour: str, beside: str, *, is_change: bool = True
) -> str:
    """Draw a bar with its CI and its figure, as pieces of SVG.

    Args:
        bar: see :class:`Bar`.
        zero: where 0 is, in per cent of the width.
        scale: per cent of the width for an effect of 1.
        top: pixels.
        colour: its class.
        beside: markup that follows the figure.
        is_change: whether the figure is a change, which has a sign.
    """
    value, low, high = bar.effect.value, bar.effect.low, bar.effect.high
    length = value * scale if math.isfinite(value) else 0.0
    middle, end = top + BAR / 2, zero + max(length, 0.0)
    pieces = [
        f'<rect class="{colour}" x="{zero + min(length, 0.0):.2f}%" y="{top + 1}" '
        f'width="{abs(length):.2f}%" height="{BAR - 2}"/>'
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
    return f'{"".join(pieces)}<text x="{end:.2f}%" dx="8" y="{top + 10}">{figure}{beside}</text>'


def _beside(name: str, note: str) -> str:
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    pieces = [f' <tspan class="group">{escape(short)}</tspan>'] if short else []
    # A narrow window has no room for the note; the table has it, too.
    pieces += [f' <tspan class="group aside">{escape(note)}</tspan>'] if note else []
    return "".join(pieces)
