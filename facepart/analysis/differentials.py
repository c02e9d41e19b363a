"""Groups compared: how far apart the shifts of their parts lie, and their error rates.

In the terms of ISO/IEC 19795-10: how the error rates of demographic groups differ at a threshold that all share (one
set on all groups together, or on one of them), and at thresholds of their own. Rates are those within each group;
what the figures mean, and what they do not, is in docs/differentials.md.

Where two groups have no person in common, their figures are independent; where they share people (a table by photo
may put a person's photos into two groups), the difference is paired by those.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from facepart.analysis.influence import (
    Influence,
    SubjectScores,
    aligned,
    difference_of,
    fmr_influence,
    fnmr_at_fmr_influence,
    fnmr_influence,
)
from facepart.analysis.intervals import (
    MIN_SUBJECTS,
    UNKNOWN,
    Interval,
    interval,
    rate_interval,
    ratio_interval,
)
from facepart.analysis.metrics import fairness_discrepancy_rate, garbe, inequity, supports, threshold_at_fmr
from facepart.analysis.results import ALL_GROUPS
from facepart.scores import ScoreDistribution

# Thresholds of their own.
EACH_GROUP = "each"
TARGETS = (1e-3, 1e-4)


@dataclass(frozen=True)
class ShiftDifference:
    """How much more a part's loss shifts the mean impostor score in one group than in another.

    Attributes:
        part: the part.
        occlusion: how it was lost.
        first: a group.
        second: another.
        paired: whether they share people.
        difference: the first group's shift less the second's.
    """

    part: str
    occlusion: str
    first: str
    second: str
    paired: bool
    difference: Interval


@dataclass(frozen=True)
class GroupRates:
    """A group's error rates at a threshold.

    Attributes:
        group: the group.
        threshold: the lowest score that is taken for a match.
        fmr: false match rate.
        fnmr: false non-match rate; unknown where fewer than ten people have a second photo.
        refused: why the group takes no part in comparisons; empty if it does.
    """

    group: str
    threshold: float
    fmr: Interval
    fnmr: Interval
    refused: str


@dataclass(frozen=True)
class RateRatio:
    """How many times a group's rates are another's."""

    first: str
    second: str
    fmr: Interval
    fnmr: Interval


@dataclass(frozen=True)
class Differential:
    """Error rates of all groups at thresholds that are set alike.

    Attributes:
        part: ``baseline``, or the part that was blurred.
        target: the FMR that the threshold is set for.
        threshold_of: whose original photos' impostor scores it is set on: ``all`` groups', or a group's; ``each``
            where every group has one of its own, and photos with the part blurred one of theirs.
        groups: their rates.
        ratios: of every two groups that take part.
        inequity_fmr: largest FMR over the geometric mean; NaN below two groups, as all that follow.
        inequity_fnmr: likewise of the FNMR.
        garbe: see :func:`facepart.analysis.metrics.garbe`.
        fairness_discrepancy: see :func:`facepart.analysis.metrics.fairness_discrepancy_rate`.
    """

    part: str
    target: float
    threshold_of: str
    groups: Sequence[GroupRates]
    ratios: Sequence[RateRatio]
    inequity_fmr: float
    inequity_fnmr: float
    garbe: float
    fairness_discrepancy: float


def shift_differences(
    part: str, occlusion: str, shifts: Mapping[str, Influence], people: Mapping[str, Sequence[str]]
) -> list[ShiftDifference]:
    """Compare a part's shift between every two groups.

    Args:
        part: the part.
        occlusion: how it was lost.
        shifts: group -> the shift, and what each of its people adds.
        people: group -> their names, in that order.
    """
    found = []
    for first, second in combinations(shifts, 2):
        both, paired = difference_of((shifts[first], people[first]), (shifts[second], people[second]))
        smaller = min(len(people[first]), len(people[second]))
        found.append(ShiftDifference(part, occlusion, first, second, paired, interval(both, smaller)))
    return found


def common_threshold(baselines: Mapping[str, ScoreDistribution], target: float, threshold_of: str) -> float | None:
    """Set a threshold for all groups; None where there are too few impostor scores.

    Args:
        baselines: group -> the impostor scores of its original photos.
        target: the FMR.
        threshold_of: ``all`` or a group's name.
    """
    chosen = ScoreDistribution.merged(baselines.values()) if threshold_of == ALL_GROUPS else baselines[threshold_of]
    return threshold_at_fmr(chosen, target) if supports(chosen, target) else None


def differential(
    part: str,
    groups: Mapping[str, SubjectScores],
    baselines: Mapping[str, ScoreDistribution],
    target: float,
    threshold_of: str,
) -> Differential:
    """Compare the error rates of groups.

    A group with fewer than ten people has no rates. It takes no part in ratios and summaries either, nor does a group
    with fewer than ten false matches to be expected at the target.

    Args:
        part: ``baseline``, or the part that was blurred.
        groups: group -> the scores of these photos.
        baselines: group -> the impostor scores of its original photos.
        target: the FMR that the threshold is set for.
        threshold_of: see :class:`Differential`.
    """
    common = None if threshold_of == EACH_GROUP else common_threshold(baselines, target, threshold_of)
    rates: list[GroupRates] = []
    moved: dict[str, tuple[_RateInfluence, _RateInfluence | None]] = {}
    for name, group in groups.items():
        threshold = threshold_at_fmr(group.scores.impostor, target) if threshold_of == EACH_GROUP else common
        refused = _refusal(group, target)
        names = group.sums.subjects.tolist()
        if threshold is None or len(names) < MIN_SUBJECTS:
            rates.append(GroupRates(name, math.nan, UNKNOWN, UNKNOWN, refused or "no threshold"))
            continue
        matched, missed = _RateInfluence(fmr_influence(group, threshold), names, len(names)), None
        fnmr = UNKNOWN
        # People with no second photo have no part in authentic scores.
        twice = int(np.count_nonzero(group.sums.authentic.count))
        if twice >= MIN_SUBJECTS:
            # A group's own threshold is an estimate.
            rate = (
                fnmr_at_fmr_influence(group, target)
                if threshold_of == EACH_GROUP
                else fnmr_influence(group, threshold)
            )
            missed = _RateInfluence(rate, names, twice)
            fnmr = rate_interval(rate, missed.number, missed.number)
        rates.append(
            GroupRates(
                name, threshold, rate_interval(matched.rate, matched.number, matched.number / 2), fnmr, refused
            )
        )
        if not refused:
            moved[name] = matched, missed
    known = [row for row in rates if row.group in moved]
    fmrs, fnmrs = ([row.fmr.value for row in known], [row.fnmr.value for row in known])
    several, all_missed = len(known) > 1, all(math.isfinite(rate) for rate in fnmrs)
    return Differential(
        part=part,
        target=target,
        threshold_of=threshold_of,
        groups=rates,
        ratios=_ratios(moved),
        inequity_fmr=inequity(fmrs) if several else math.nan,
        inequity_fnmr=inequity(fnmrs) if several and all_missed else math.nan,
        garbe=garbe(fmrs, fnmrs) if several and all_missed else math.nan,
        fairness_discrepancy=fairness_discrepancy_rate(fmrs, fnmrs) if several and all_missed else math.nan,
    )


def _refusal(group: SubjectScores, target: float) -> str:
    if len(group.sums.subjects) < MIN_SUBJECTS:
        return f"fewer than {MIN_SUBJECTS} people"
    return "" if supports(group.scores.impostor, target) else "too few impostor scores"


class _RateInfluence(NamedTuple):
    """A group's rate, the names of its people in the order of what each adds, and how many have such scores."""

    rate: Influence
    people: Sequence[str]
    number: int


def _ratios(moved: Mapping[str, tuple[_RateInfluence, _RateInfluence | None]]) -> list[RateRatio]:
    found = []
    for first, second in combinations(moved, 2):
        ratios = []
        for one, other in zip(moved[first], moved[second], strict=True):
            if one is None or other is None:
                ratios.append(UNKNOWN)
                continue
            (ours, theirs), _ = aligned(one[:2], other[:2])
            after, before = one.rate._replace(by_subject=ours), other.rate._replace(by_subject=theirs)
            ratios.append(ratio_interval(after, before, min(one.number, other.number)))
        found.append(RateRatio(first, second, *ratios))
    return found
