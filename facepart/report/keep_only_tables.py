"""Keep-only beside deletion: each part alone, and each part occluded, as data for ``templates/keep_only.html``.

The parts are in order of d' with only that part left, which is no ranking by what a part is needed for.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from facepart.analysis.keep_only import KeptPart, kept_parts
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS
from facepart.report.bars import Bar, PartBars, bar_chart
from facepart.report.report_data import ReportData, ranks_by_part
from facepart.report.templating import describe


class KeepOnlyTable(NamedTuple):
    """The parts of a group, alone and occluded.

    Attributes:
        group: the group's name.
        rows: the largest d' with only that part left first.
        ranked: part -> its place in that order, from 1, and the CI of it; of parts that have one.
        chart: d' with only a part left, and with it occluded, as SVG.
    """

    group: str
    rows: Sequence[KeptPart]
    ranked: Mapping[str, tuple[int, Ranked]]
    chart: Markup

    @property
    def known(self) -> list[KeptPart]:
        """The rows whose d' with only that part left is known."""
        return [row for row in self.rows if math.isfinite(row.keep_only.d_prime.value)]

    @property
    def same_photos(self) -> bool:
        """Whether each part was occluded in just the photos in which it was left alone."""
        return all(row.deletion.photos_compared == row.keep_only.photos_compared for row in self.rows)

    @property
    def at_chance(self) -> list[str]:
        """The parts with which alone d' is not significantly above 0."""
        return [row.part for row in self.rows if row.keep_only.d_prime.low <= 0]


def keep_only_tables(data: ReportData) -> list[KeepOnlyTable]:
    """Put the rows of each group together; empty for a study without keep-only."""
    tables = []
    for group in data.groups:
        rows = kept_parts(data.results, group.name)
        if rows:
            ranking = data.figures.keep_only_rankings.get(group.name, [])
            tables.append(KeepOnlyTable(group.name, rows, ranks_by_part(ranking), _chart(data, group.name, rows)))
    return tables


def mean_keep_only(data: ReportData) -> Sequence[Ranked]:
    """Return the order by the mean d' of several groups; empty for one group, or if no part has one in all groups."""
    return data.figures.keep_only_rankings.get(ALL_GROUPS, []) if data.several_groups else []


def _chart(data: ReportData, group: str, rows: Sequence[KeptPart]) -> Markup:
    """Draw d' of each part, alone above occluded, with 95 % CIs."""
    pairs = {row.part: (row.keep_only.d_prime, row.deletion.d_prime) for row in rows}
    parts = [
        PartBars(data.label(part), [Bar(alone, "only part"), Bar(occluded, "occluded")])
        for part, (alone, occluded) in pairs.items()
    ]
    text = describe("keep_only", data=data, group=group if data.several_groups else "", pairs=pairs)
    return bar_chart(parts, text, is_change=False)
