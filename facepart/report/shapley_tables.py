"""Shapley values beside the effects of parts that are occluded alone, and the interactions as a matrix."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from facepart.analysis.choices import D_PRIME, SHIFT, Weight
from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.measure import Figures
from facepart.analysis.results import ALL_GROUPS, KEEP_ONLY, PartResult
from facepart.analysis.shapley_figures import SHARED_CRITERIA, ShapleyFigures, ShapleyInteraction, ShapleyValue
from facepart.report.report_data import ReportData


class ShapleyTable(NamedTuple):
    """The values of one criterion in a group.

    Attributes:
        criterion: the criterion whose effect is divided.
        rows: the parts, the one with the largest value first; empty if there are none.
        alone_ranks: part -> its rank by its effect alone, from 1.
        kept: part -> the same effect with all but the part occluded, on the photos of that part; empty without
            keep-only, and a mean over groups has no CI.
        interactions: (part, other part) -> their interaction, in both orders; empty if the values are sampled.
        strongest: the significant interaction that is largest in size; None if none is significant.
        reason: why there are no values; empty if it is.
    """

    criterion: str
    rows: Sequence[ShapleyValue]
    alone_ranks: Mapping[str, int]
    kept: Mapping[str, Interval]
    interactions: Mapping[tuple[str, str], Interval]
    strongest: ShapleyInteraction | None
    reason: str

    @property
    def order(self) -> list[str]:
        """The parts in the order of their values."""
        return [row.part for row in self.rows]

    @property
    def alone_order(self) -> list[str]:
        """The parts in the order of their effects alone."""
        return sorted(self.alone_ranks, key=self.alone_ranks.__getitem__)

    @property
    def total(self) -> Interval:
        """The effect of all parts together."""
        return self.rows[0].total


class ShapleyGroup(NamedTuple):
    """The tables of a group.

    Attributes:
        name: of the group, or ``all``.
        photos: photos compared.
        subjects: subjects compared.
        tables: one for each criterion.
    """

    name: str
    photos: int
    subjects: int
    tables: Sequence[ShapleyTable]


class ShapleySection(NamedTuple):
    """What the report shows of Shapley values: those of the first recogniser.

    Attributes:
        figures: all of them.
        groups: all groups together first, where there are several.
        main: the table that sentences are about: of the criterion of the study's ranking if it has one, else of the
            first criterion with values; None if none has any.
    """

    figures: ShapleyFigures
    groups: Sequence[ShapleyGroup]
    main: ShapleyTable | None


def shapley_section(data: ReportData) -> ShapleySection | None:
    """Put the tables together; None without Shapley values."""
    if not data.shapley:
        return None
    figures = next(iter(data.shapley.values()))
    names = [ALL_GROUPS] * data.several_groups + [group.name for group in data.groups]
    groups = []
    for name in names:
        first = figures.values_of(name, SHARED_CRITERIA[0])[0]
        tables = [_table(data, figures, name, criterion) for criterion in SHARED_CRITERIA]
        groups.append(ShapleyGroup(name, first.photos_compared, first.subjects_compared, tables))
    known = [table for table in groups[0].tables if table.rows]
    main = next((table for table in known if table.criterion == data.ranked_by), known[0] if known else None)
    return ShapleySection(figures, groups, main)


def _table(data: ReportData, figures: ShapleyFigures, group: str, criterion: str) -> ShapleyTable:
    values = figures.values_of(group, criterion)
    if not all(math.isfinite(row.value.value) for row in values):
        return ShapleyTable(criterion, [], {}, {}, {}, None, values[0].reason or "not finite")
    alone = sorted(values, key=lambda row: -row.alone.value)
    interactions = figures.interactions_of(group, criterion)
    significant = [each for each in interactions if each.value.low > 0 or each.value.high < 0]
    pairs = [((each.first, each.second), each.value) for each in interactions]
    return ShapleyTable(
        criterion=criterion,
        rows=sorted(values, key=lambda row: -row.value.value),
        alone_ranks={row.part: rank for rank, row in enumerate(alone, 1)},
        kept=_kept(data.figures, group, criterion),
        interactions=dict(pairs) | {(second, first): value for (first, second), value in pairs},
        strongest=max(significant, key=lambda each: abs(each.value.value), default=None),
        reason="",
    )


def _kept(figures: Figures, group: str, criterion: str) -> dict[str, Interval]:
    """Return the effect with all but each part occluded, of those parts that were compared in every group."""
    found: dict[str, list[Interval]] = {}
    groups = {row.group for row in figures.results} if group == ALL_GROUPS else {group}
    for row in figures.results:
        if row.comparison == KEEP_ONLY and row.group in groups:
            found.setdefault(row.part, []).append(_effect(row, criterion, figures.weight))
    complete = {part: each for part, each in found.items() if len(each) == len(groups)}
    return {
        part: each[0] if len(each) == 1 else UNKNOWN._replace(value=math.fsum(one.value for one in each) / len(each))
        for part, each in complete.items()
    }


def _effect(row: PartResult, criterion: str, weight: Weight) -> Interval:
    """Return the effect of a row by a criterion, larger where more is lost."""
    if criterion == SHIFT:
        return row.weighted("impostor_shift", weight)
    if criterion == D_PRIME:
        change = row.d_prime_change
        return change._replace(value=-change.value, low=-change.high, high=-change.low)
    ratio = row.fmr_ratio_1e3
    return ratio._replace(value=_log(ratio.value), low=_log(ratio.low), high=_log(ratio.high))


def _log(value: float) -> float:
    return math.log(value) if value > 0 else math.nan
