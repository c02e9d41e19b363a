"""The effects of the parts by each recogniser: small multiples in one order of parts, each on an axis of its own.

The scores of recognisers have different scales, so lengths compare within a panel, and orders between panels.
"""

import math
from typing import NamedTuple

from markupsafe import Markup

from facepart.analysis.intervals import UNKNOWN
from facepart.analysis.ranking import Ranked
from facepart.report.bars import Bar, PartBars, bar_chart
from facepart.report.formatting import DASH, rank_interval
from facepart.report.report_data import RecogniserFigures, ReportData, ranks_by_part
from facepart.report.templating import describe


class RecogniserPanel(NamedTuple):
    """What is drawn of a recogniser.

    Attributes:
        name: of the recogniser.
        chart: SVG.
    """

    name: str
    chart: Markup


def recogniser_panels(data: ReportData) -> list[RecogniserPanel]:
    """Draw the main ranking of each recogniser; empty for a study with one recogniser.

    Parts are in the order of the joint ranking, then those that only some recognisers rank.
    """
    group = data.main_group
    joint = [each.part for each in data.agreement.joint_ranking.get(group, [])] if data.agreement else []
    ranked = {each.part for found in data.recognisers for each in found.figures.ranking.get(group, [])}
    parts = joint + [part for part in data.parts if part in ranked and part not in joint]
    return [_panel(data, each, parts, group) for each in data.recognisers]


def _panel(data: ReportData, recogniser: RecogniserFigures, parts: list[str], group: str) -> RecogniserPanel:
    ranking = recogniser.figures.ranking.get(group, [])
    ranked = ranks_by_part(ranking)
    rows = []
    for part in parts:
        rank, each = ranked.get(part, (0, None))
        rows.append(PartBars(data.label(part), [Bar(each.effect if each else UNKNOWN)], _place(rank, each)))
    text = describe(
        "recogniser",
        data=data,
        name=recogniser.name,
        ranked_by=recogniser.figures.ranked_by,
        effects={each.part: each.effect for each in ranking},
    )
    return RecogniserPanel(recogniser.name, bar_chart(rows, text))


def _place(rank: int, ranked: Ranked | None) -> str:
    """Return a rank and its CI."""
    if ranked is None:
        return "no rank"
    return f"{rank} {rank_interval(ranked) if math.isfinite(ranked.effect.low) else DASH}"
