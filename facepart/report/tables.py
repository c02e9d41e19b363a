"""The rankings and results as tables, as data for ``templates/ranking.html`` and ``templates/tables.html``."""

from collections.abc import Sequence
from typing import NamedTuple

from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, PartResult
from facepart.report.report_data import ReportData


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
