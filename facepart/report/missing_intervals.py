"""Why effects have no CI, and whether another weighting of the photos would give them one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facepart.analysis.choices import DEFAULT_DRAWS, EQUAL_AREA, IMPORTANCE, SHIFT
from facepart.analysis.intervals import MIN_SUBJECTS, Interval
from facepart.analysis.measure import Figures
from facepart.analysis.results import ALL_GROUPS, CONTROL, EQUAL_AREA_PATCH, WITHIN, PartResult

# Criterion -> comparison and column of the results that have its effect with all pairs of subjects equally weighted.
BY_SUBJECTS = {
    IMPORTANCE: (WITHIN, "importance_subjects"),
    SHIFT: (WITHIN, "impostor_shift_subjects"),
    EQUAL_AREA: (EQUAL_AREA_PATCH, "impostor_shift_subjects"),
}


class Reason(NamedTuple):
    """Why some effects have no CI.

    Attributes:
        effective: effective subjects, :func:`rounded_down`; -1 if these are enough.
        left_out: photos that are left out because the part is not detected on them.
        without_place: photos that are left out because the control has no place on them.
        other: the reason if the effective subjects are enough; may be empty.
    """

    effective: float
    left_out: int
    without_place: int
    other: str


@dataclass(frozen=True)
class MissingIntervals:
    """The ranked parts of a group whose effects have no CI.

    Attributes:
        parts: reason -> parts, in the order of the ranking; empty if all have one.
        is_all: whether no ranked part has one.
        subjects_may_help: whether any of them would have one with all pairs of subjects equally weighted.
    """

    parts: dict[Reason, list[str]]
    is_all: bool
    subjects_may_help: bool


def missing_intervals(figures: Figures, group: str) -> MissingIntervals:
    """List the ranked parts of a group whose effects have no CI, and say why."""
    rows = {row.part: row for row in _rows(figures, group, WITHIN)}
    controls = {row.part: row for row in _rows(figures, group, CONTROL)}
    ranking = figures.ranking.get(group, [])
    without = [each for each in ranking if math.isnan(each.effect.low)]
    parts: dict[Reason, list[str]] = {}
    for each in without:
        row, effective = rows[each.part], each.effect.effective
        if effective < MIN_SUBJECTS:
            left_out = row.undetected if row.photos_compared < row.photos else 0
            control = controls.get(each.part, row) if figures.ranked_by == IMPORTANCE else row
            without_place = max(row.photos_compared - control.photos_compared, 0)
            reason = Reason(rounded_down(effective), left_out, without_place, "")
        else:
            reason = Reason(-1, 0, 0, each.effect.no_ci)
        parts.setdefault(reason, []).append(each.part)
    helped = any(subjects_may_help(figures, group, each.part) for each in without)
    return MissingIntervals(parts, len(without) == len(ranking), helped)


def has_few_positions(figures: Figures, draws: int) -> bool:
    """Return whether parts are ranked by importances whose CIs rest on few positions (`draws`) of the control."""
    return (
        figures.ranked_by == IMPORTANCE
        and 1 < draws < DEFAULT_DRAWS
        and any(math.isfinite(row.weighted("importance", figures.weight).low) for row in figures.results)
    )


def why_no_interval_of(figures: Sequence[Interval]) -> str:
    """Say why figures have no CI: the reason of the first that has enough subjects, else that these are too few."""
    reasons = [each.no_ci for each in figures if each.no_ci and each.effective >= MIN_SUBJECTS]
    return reasons[0] if reasons else "too few subjects"


def rounded_down(effective: float) -> float:
    """Round effective subjects down to one decimal, so that they stay below what is needed."""
    return math.floor(10 * effective) / 10


def subjects_may_help(figures: Figures, group: str, part: str) -> bool:
    """Return whether an effect would have a CI with all pairs of subjects equally weighted, unlike in this study.

    Args:
        figures: the study's.
        group: a group, or ``all``: then, each group must have one.
        part: a part whose effect has no CI.
    """
    if figures.weight == "subjects" or figures.ranked_by not in BY_SUBJECTS:
        return False
    comparison, column = BY_SUBJECTS[figures.ranked_by]
    rows = [row for row in _rows(figures, group, comparison) if row.part == part]
    return bool(rows) and all(math.isfinite(row.figure(column).low) for row in rows)


def _rows(figures: Figures, group: str, comparison: str) -> Sequence[PartResult]:
    """Return the results of a group, or of all, by the main method."""
    main = figures.results[0].occlusion
    return [
        row
        for row in figures.results
        if (row.occlusion, row.comparison) == (main, comparison) and group in (row.group, ALL_GROUPS)
    ]
