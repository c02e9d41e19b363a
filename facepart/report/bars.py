"""The shifts as bars: part by part in the order of the ranking, the groups of each side by side."""

from collections.abc import Sequence

import numpy as np

from facepart.report.content import Content
from facepart.report.markup import escape, part_name, signed
from facepart.report.results import Ranked, shifts_within

# Colours of groups in report.css; with more groups they come round again, and the names beside the bars tell.
GROUP_COLOURS = 6
# Pixels.
_BAR, _HEADING, _GAP = 13, 19, 9
# Per cent of the width that the longest bar takes; the rest is for the figures.
_ROOM = 66.0
_LONGEST_NAME = 16


def shift_bars(content: Content, ranking: Sequence[Ranked]) -> str:
    """Draw the shift of the mean impostor score of every part and group.

    Widths are in per cent and heights in pixels, so that the figures stay legible in a narrow window.
    """
    names = [group.name for group in content.groups]
    shifts = shifts_within(content.results)
    finite = [shift for shift in shifts.values() if np.isfinite(shift)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    scale = _ROOM / ((high - low) or 1.0)
    zero = -low * scale
    pieces, top = [], 0
    for ranked in ranking:
        pieces.append(f'<text class="part" y="{top + 14}">{escape(part_name(ranked.part))}</text>')
        top += _HEADING
        last = top + _BAR * len(names)
        pieces.append(f'<line class="axis" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="{top}" y2="{last}"/>')
        for number, name in enumerate(names):
            shift = shifts.get((name, ranked.part), np.nan)
            length = shift * scale if np.isfinite(shift) else 0.0
            end = zero + max(length, 0.0)
            pieces.append(
                f'<rect class="g{number % GROUP_COLOURS}" x="{zero + min(length, 0.0):.2f}%" y="{top + 1}" '
                f'width="{abs(length):.2f}%" height="{_BAR - 2}"/>'
                f'<text x="{end:.2f}%" dx="5" y="{top + 10}"><tspan class="figure">{signed(shift)}</tspan>'
                f"{_beside(name) if len(names) > 1 else ''}</text>"
            )
            top += _BAR
        top += _GAP
    return (
        f'<svg class="bars" role="img" width="100%" height="{top}"><title>{escape(_told(names, ranking, shifts))}'
        f"</title>{''.join(pieces)}</svg>"
    )


def _beside(name: str) -> str:
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    return f' <tspan class="group">{escape(short)}</tspan>'


def _told(names: Sequence[str], ranking: Sequence[Ranked], shifts: dict[tuple[str, str], float]) -> str:
    parts = [
        f"{part_name(ranked.part)} "
        + ", ".join(
            f"{name if len(names) > 1 else ''} {signed(shifts.get((name, ranked.part), np.nan))}".strip()
            for name in names
        )
        for ranked in ranking
    ]
    return (
        f"Bars: shift of the mean impostor score by part{' and group' if len(names) > 1 else ''}. {'; '.join(parts)}."
    )
