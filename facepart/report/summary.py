"""The answer that a report opens with, as data for ``templates/summary.html``."""

import math
from dataclasses import dataclass

from facepart.analysis.ranking import Ranked
from facepart.report.report_data import ReportData


@dataclass(frozen=True)
class Summary:
    """The answer.

    Attributes:
        first: the first part of the main ranking; None if no effect is known.
        second: the part after it; None if there is only one.
        last: the last part; None if there is only one.
        agreeing: groups in which the same part is ranked first.
        photos: of all groups.
        subjects: of all groups.
        pairs: pairs of baseline photos, of all groups.
        has_intervals: whether any impostor shift has a CI.
    """

    first: Ranked | None
    second: Ranked | None
    last: Ranked | None
    agreeing: int
    photos: int
    subjects: int
    pairs: int
    has_intervals: bool


def summarise(data: ReportData) -> Summary:
    """Sum up what a report says."""
    known = [ranked for ranked in data.main_ranking if math.isfinite(ranked.effect.value)]
    first = known[0] if known else None
    return Summary(
        first=first,
        second=known[1] if len(known) > 1 else None,
        last=known[-1] if len(known) > 1 else None,
        agreeing=sum(first is not None and data.rankings[group.name][0].part == first.part for group in data.groups),
        photos=sum(group.photos for group in data.groups),
        subjects=sum(group.subjects for group in data.groups),
        pairs=sum(scores.n for group in data.groups for scores in group.baseline),
        has_intervals=any(math.isfinite(row.impostor_shift.low) for row in data.results),
    )
