"""The rankings and results as tables, as data for ``templates/ranking.html`` and ``templates/tables.html``.

``templates/tables.html`` names the columns of the main metrics itself; all others of the table of metrics
(:mod:`facepart.analysis.metrics.metric_table`) get theirs here.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from facepart.analysis.intervals import Interval
from facepart.analysis.metrics import DISTANCES, METRICS, STUDY_FMRS, fmr_suffix
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, EQUAL_AREA_PATCH, KEEP_ONLY, WITHIN, PartResult
from facepart.report.coverage import why_no_rank
from facepart.report.report_data import ReportData, measured_on, ranks_by_part

# Columns of results.csv that templates/tables.html names itself.
_NAMED = {"authentic_mean", "impostor_mean", "impostor_ks", "d_prime", "d_prime_change", "eer"} | {
    f"fnmr_{fmr_suffix(target)}" for target in STUDY_FMRS
}


class RankingRow(NamedTuple):
    """A part in a ranking.

    Attributes:
        part: the part.
        rank: its place; 0 if it has no rank.
        ranked: its effect, and how certain its rank is; None if it has no rank.
        no_rank: why it has none; empty if it has one.
        compared: photos that its effect is computed from, of the group or of all groups; without a rank, those that
            its other figures are about.
        photos: of the group or of all groups.
        result: its results in the group; None for the mean of several groups.
    """

    part: str
    rank: int
    ranked: Ranked | None
    no_rank: str
    compared: int
    photos: int
    result: PartResult | None


class RankingTable(NamedTuple):
    """A ranking.

    Attributes:
        group: the group's name; empty for the mean of several groups.
        rows: the parts that have a rank in its order, then the others.
    """

    group: str
    rows: Sequence[RankingRow]

    @property
    def resampled(self) -> bool:
        """Whether it is known of any part how often it is ranked first in resamples of the subjects."""
        return any(row.ranked is not None and math.isfinite(row.ranked.ranked_first) for row in self.rows)

    @property
    def undecided(self) -> bool:
        """Whether the difference of any part from the next one has no CI."""
        return any(row.ranked is not None and row.ranked.undecided for row in self.rows)


class ResultTables(NamedTuple):
    """The results of a group in a comparison, the part that is ranked first at the top."""

    group: str
    comparison: str
    rows: Sequence[PartResult]


class FurtherColumn(NamedTuple):
    """A column of a metric that ``templates/tables.html`` does not name itself.

    Attributes:
        label: of the metric.
        scores: the scores that a distance is between: ``authentic`` or ``impostor``; empty for other metrics.
        name: of the column in results.csv.
        baseline: that of the baseline; empty if there is none.
        is_change: whether it is the change from the baseline.
        is_rate: whether it is a rate, 0..1.
    """

    label: str
    scores: str
    name: str
    baseline: str
    is_change: bool
    is_rate: bool


def ranking_tables(data: ReportData) -> list[RankingTable]:
    """List the main ranking and, if there are several groups, that of each group."""
    names = [group.name for group in data.groups]
    tables = [RankingTable(name, _ranking_rows(data, name, [name])) for name in names]
    if data.several_groups:
        tables.insert(0, RankingTable("", _ranking_rows(data, ALL_GROUPS, names)))
    return tables


def _ranking_rows(data: ReportData, ranking: str, groups: Sequence[str]) -> list[RankingRow]:
    """List the parts of a ranking: those without a rank come last."""
    ranked = ranks_by_part(data.ranking_of(ranking))
    results, measured = data.main_rows(), data.main_rows(measured_on(data.ranked_by))
    rows = []
    for part in [*ranked, *(part for part in data.parts if part not in ranked)]:
        found = [results[group, part] for group in groups]
        rank, each = ranked.get(part, (0, None))
        compared = [measured[group, part] for group in groups if (group, part) in measured] if each else found
        rows.append(
            RankingRow(
                part=part,
                rank=rank,
                ranked=each,
                no_rank="" if each else why_no_rank(found, data.figures),
                compared=sum(row.photos_compared for row in compared),
                photos=sum(row.photos for row in found),
                result=found[0] if ranking != ALL_GROUPS or len(groups) == 1 else None,
            )
        )
    return rows


def result_tables(data: ReportData) -> list[ResultTables]:
    """List the results of each group in each comparison that was run, by the main method."""
    tables = []
    for group in data.groups:
        ranked = [each.part for each in data.ranking_of(group.name)]
        order = [*ranked, *(part for part in data.parts if part not in ranked)]
        for comparison in (WITHIN, CROSS, EQUAL_AREA_PATCH, KEEP_ONLY, CONTROL):
            found = data.main_rows(comparison)
            rows = [found[group.name, part] for part in order if (group.name, part) in found]
            if rows:
                tables.append(ResultTables(group.name, comparison, rows))
    return tables


def further_columns(data: ReportData) -> list[FurtherColumn]:
    """List the columns of metrics that have none of their own, as far as any of their figures is known."""
    columns = [
        FurtherColumn(
            metric.label,
            "",
            metric.column_name(kind),
            metric.column_name("baseline") if kind == "occluded" and "baseline" in metric.columns else "",
            kind == "change",
            metric.is_rate,
        )
        for metric in METRICS
        for kind in metric.columns
        if kind != "baseline"
    ]
    columns += [
        FurtherColumn(distance.label, kind, f"{kind}_{distance.name}", "", is_change=False, is_rate=False)
        for distance in DISTANCES
        for kind in distance.kinds
    ]
    return [each for each in columns if each.name not in _NAMED and _is_known(data, each.name)]


def _is_known(data: ReportData, column: str) -> bool:
    figures = (row.figure(column) for row in data.results)
    return any(math.isfinite(each.value if isinstance(each, Interval) else each) for each in figures)
