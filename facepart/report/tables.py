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
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, PartResult
from facepart.report.report_data import ReportData

# Columns of results.csv that templates/tables.html names itself.
_NAMED = {"authentic_mean", "impostor_mean", "impostor_ks", "d_prime", "d_prime_change", "eer"} | {
    f"fnmr_{fmr_suffix(target)}" for target in STUDY_FMRS
}


class RankingTable(NamedTuple):
    """A ranking.

    Attributes:
        group: the group's name; empty for the mean of several groups.
        rows: each part in order, with its results; without results for the mean of several groups.
    """

    group: str
    rows: Sequence[tuple[Ranked, PartResult | None]]


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
    rows = data.main_rows()
    tables = [
        RankingTable(group.name, [(each, rows[group.name, each.part]) for each in data.rankings[group.name]])
        for group in data.groups
    ]
    if data.several_groups:
        tables.insert(0, RankingTable("", [(each, None) for each in data.rankings[ALL_GROUPS]]))
    return tables


def result_tables(data: ReportData) -> list[ResultTables]:
    """List the results of each group in each comparison that was run, by the main method."""
    tables = []
    for group in data.groups:
        for comparison in (WITHIN, CROSS, CONTROL):
            found = data.main_rows(comparison)
            ranked = [(group.name, each.part) for each in data.rankings[group.name]]
            rows = [found[key] for key in ranked if key in found]
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
