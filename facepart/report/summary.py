"""The answer that a report opens with, as data for ``templates/summary.html``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from facepart.analysis.choices import EQUAL_AREA
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import EQUAL_AREA_PATCH
from facepart.report.coverage import Undetected, often_undetected, why_no_rank
from facepart.report.formatting import known_first
from facepart.report.missing_intervals import has_few_positions, subjects_may_help
from facepart.report.report_data import ReportData, ranks_by_part


@dataclass(frozen=True)
class Summary:
    """The answer.

    Attributes:
        first: the first part of the main ranking; None if no effect is known.
        tied: the other parts with the same effect as the first.
        last: the last part; None if there is only one.
        possible_firsts: the 95 % set of parts that may be first, in the order of the ranking; without those that have
            no CI.
        without_ci: parts that may be first as well, because their effects have no CI.
        unranked: part -> why it has no rank.
        reasons: the same the other way: reason -> parts.
        agreeing: groups in which the same part is ranked first.
        agreeing_tied: those of them in which it is not significantly ahead of the next part.
        agreeing_undecided: those of them in which its difference from the next part has no CI.
        more_alike: groups in which occluding the first part, or the area within it that it is ranked by, raises the
            mean authentic score, too: the CI is above 0.
        undetected: the parts that were not detected on many photos.
        photos: of all groups.
        subjects: of all groups.
        pairs: pairs of baseline photos, of all groups.
        has_intervals: whether any impostor shift has a CI.
        few_positions: whether parts are ranked by importances whose CIs rest on few positions of the control.
        subjects_may_help: whether the first part has no CI, but would have one with all pairs of subjects equally
            weighted.
    """

    first: Ranked | None
    tied: Sequence[str]
    last: Ranked | None
    possible_firsts: Sequence[str]
    without_ci: Sequence[str]
    unranked: dict[str, str]
    reasons: dict[str, list[str]]
    agreeing: Sequence[str]
    agreeing_tied: Sequence[str]
    agreeing_undecided: Sequence[str]
    more_alike: Sequence[str]
    undetected: Sequence[Undetected]
    photos: int
    subjects: int
    pairs: int
    has_intervals: bool
    few_positions: bool
    subjects_may_help: bool


def summarise(data: ReportData) -> Summary:
    """Sum up what a report says."""
    known = [ranked for ranked in data.main_ranking if math.isfinite(ranked.effect.value)]
    rows = data.main_rows()
    occluded = data.main_rows(EQUAL_AREA_PATCH) if data.ranked_by == EQUAL_AREA else rows
    first = known[0] if known else None
    by_group = {group.name: ranks_by_part(data.ranking_of(group.name)) for group in data.groups}
    agreeing = {
        name: ranks[first.part][1]
        for name, ranks in by_group.items()
        if first and ranks.get(first.part, (0, first))[0] == 1
    }
    ranked = [each.part for each in data.main_ranking]
    unranked = {
        part: why_no_rank([rows[group.name, part] for group in data.groups], data.figures)
        for part in data.parts
        if part not in ranked
    }
    return Summary(
        first=first,
        tied=[part for part, (rank, _) in ranks_by_part(known).items() if rank == 1][1:],
        last=known[-1] if len(known) > 1 else None,
        possible_firsts=[each.part for each in known if known_first(each)],
        without_ci=[each.part for each in known if math.isnan(each.effect.low)],
        unranked=unranked,
        reasons={
            reason: [part for part in unranked if unranked[part] == reason]
            for reason in dict.fromkeys(unranked.values())
        },
        agreeing=list(agreeing),
        agreeing_tied=[
            name
            for name, each in agreeing.items()
            if each.tied or sum(rank == 1 for rank, _ in by_group[name].values()) > 1
        ],
        agreeing_undecided=[name for name, each in agreeing.items() if each.undecided],
        more_alike=[
            group.name
            for group in data.groups
            if first and (row := occluded.get((group.name, first.part)))
            if row.weighted("authentic_shift", data.design.weight).low > 0
        ],
        undetected=often_undetected(rows),
        photos=sum(group.photos for group in data.groups),
        subjects=data.subjects,
        pairs=sum(scores.n for group in data.groups for scores in group.baseline),
        has_intervals=any(
            math.isfinite(row.weighted("impostor_shift", data.figures.weight).low) for row in data.results
        ),
        few_positions=has_few_positions(data.figures, data.draws),
        subjects_may_help=first is not None
        and math.isnan(first.effect.low)
        and subjects_may_help(data.figures, data.main_group, first.part),
    )
