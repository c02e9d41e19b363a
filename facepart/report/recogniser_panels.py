"""The effects of the parts by each recogniser: small multiples in one order of parts, each on an axis of its own.

The scores of recognisers have different scales, so lengths compare within a panel, and orders between panels.
"""

import math
from typing import NamedTuple

from markupsafe import Markup, escape

from facepart.analysis.intervals import UNKNOWN
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS
from facepart.report.bars import BAR, GAP, HEADING, ROOM, Bar, draw_bar
from facepart.report.formatting import DASH, rank_interval
from facepart.report.report_data import RecogniserFigures, ReportData
from facepart.report.templating import describe


class RecogniserPanel(NamedTuple):
    """What is drawn of a recogniser.

    Attributes:
        name: of the recogniser.
        first: the part that it ranks first; empty if it ranks none.
        chart: SVG.
    """

    name: str
    first: str
    chart: Markup


def recogniser_panels(data: ReportData) -> list[RecogniserPanel]:
    """Draw the main ranking of each recogniser; empty for a study with one recogniser.

    Parts are in the order of the joint ranking, then those that only some recognisers rank.
    """
    group = ALL_GROUPS if data.several_groups else data.groups[0].name
    joint = [each.part for each in data.agreement.joint_ranking.get(group, [])] if data.agreement else []
    ranked = {each.part for found in data.recognisers for each in found.figures.ranking.get(group, [])}
    parts = joint + [part for part in data.parts if part in ranked and part not in joint]
    return [_panel(data, each, parts, group) for each in data.recognisers]


def _panel(data: ReportData, recogniser: RecogniserFigures, parts: list[str], group: str) -> RecogniserPanel:
    ranking = recogniser.figures.ranking.get(group, [])
    ranked = {each.part: (rank, each) for rank, each in enumerate(ranking, 1)}
    ends = [end for each in ranking for end in (each.effect.value, each.effect.low, each.effect.high)]
    known = [0.0, *(end for end in ends if math.isfinite(end))]
    low, high = min(known), max(known)
    scale = ROOM / ((high - low) or 1.0)
    zero = -low * scale
    pieces, top = [], 0
    for part in parts:
        place = f'<tspan class="group">{_place(*ranked[part]) if part in ranked else "no rank"}</tspan>'
        pieces.append(f'<text y="{top + 14}"><tspan class="part">{escape(data.label(part))}</tspan> {place}</text>')
        top += HEADING
        pieces.append(f'<line class="axis" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="{top}" y2="{top + BAR}"/>')
        effect = ranked[part][1].effect if part in ranked else UNKNOWN
        pieces.append(draw_bar(Bar(effect, math.nan, ""), zero, scale, top, "g0", ""))
        top += BAR + GAP
    text = describe(
        "recogniser",
        data=data,
        name=recogniser.name,
        ranked_by=recogniser.figures.ranked_by,
        effects={each.part: each.effect for each in ranking},
    )
    chart = Markup(  # noqa: S704 - all texts are escaped
        f'<svg class="bars" role="img" width="100%" height="{top}"><title>{escape(text)}</title>'
        f"{''.join(pieces)}</svg>"
    )
    return RecogniserPanel(recogniser.name, ranking[0].part if ranking else "", chart)


def _place(rank: int, ranked: Ranked) -> str:
    """Return a rank and its CI."""
    return f"{rank} {rank_interval(ranked) if math.isfinite(ranked.effect.low) else DASH}"
