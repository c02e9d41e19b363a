"""Coalitions of parts -> Shapley values and interactions of a study's groups, with confidence intervals.

The worth of a coalition is a metric of the photos in which all of the parts were detected, with all parts of the
coalition occluded. It is signed as the effects of criteria are (:mod:`facepart.analysis.criteria`): larger where more
is lost.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import D_PRIME, FMR_RATIO, SHIFT
from facepart.analysis.criteria import NO_AUTHENTIC, NO_FALSE_MATCH, TARGET, TOO_FEW_IMPOSTOR, Unsupported
from facepart.analysis.influence import Influence, SubjectScores, degrees_by_variance, weighted_sum
from facepart.analysis.intervals import UNKNOWN, Interval, mean_interval
from facepart.analysis.metrics import d_prime_influence, fmr_influence, supports, threshold_at_fmr
from facepart.analysis.pooling import pooled
from facepart.analysis.results import ALL_GROUPS
from facepart.analysis.shapley import Coalitions
from facepart.occlusion.parts import PLUS

# What is shared out, by the criteria whose effects these are.
SHARED_CRITERIA = (SHIFT, D_PRIME, FMR_RATIO)
EXACT, SAMPLED = "exact", "sampled"
TOO_FEW_SUBJECTS = Unsupported("all parts were detected in photos of fewer than two subjects")

# Figure -> its worth with a coalition occluded, or why there is none.
Worths = Mapping[str, Influence | Unsupported]


class CoalitionWorths(NamedTuple):
    """The worths of all coalitions in a group.

    Attributes:
        photos: how many all parts were detected on.
        subjects: names of those on these photos, in the order of the influences.
        worths: one for each coalition; none with fewer than two subjects.
    """

    photos: int
    subjects: Sequence[str]
    worths: Sequence[Worths]


@dataclass(frozen=True)
class ShapleyValue:
    """The share of a part in the joint effect of all parts.

    Attributes:
        recogniser: whose scores these are of.
        group: the group, or ``all``: the mean over the groups, equally weighted.
        criterion: the criterion whose effect is shared out, one of :data:`SHARED_CRITERIA`.
        part: the part.
        method: ``exact``, or ``sampled`` orders of the parts.
        photos_compared: photos in which all parts were detected.
        subjects_compared: subjects on these.
        value: its Shapley value.
        alone: its effect if it alone is occluded, on the same photos.
        last: its effect if all other parts are occluded already.
        total: the effect of all parts together, which the values of all parts add up to.
        reason: why there are no values; empty if it is.
    """

    recogniser: str
    group: str
    criterion: str
    part: str
    method: str
    photos_compared: int
    subjects_compared: int
    value: Interval
    alone: Interval
    last: Interval
    total: Interval
    reason: str = ""


@dataclass(frozen=True)
class ShapleyInteraction:
    """The interaction of two parts; fields as those of :class:`ShapleyValue`.

    Attributes:
        first: a part.
        second: another.
        value: positive if each adds more once the other is occluded, negative if less, 0 if effects add up.
    """

    recogniser: str
    group: str
    criterion: str
    first: str
    second: str
    photos_compared: int
    subjects_compared: int
    value: Interval
    reason: str = ""


@dataclass(frozen=True)
class ShapleyFigures:
    """All Shapley values of a study by one recogniser.

    Attributes:
        parts: whose effects are shared out.
        left_out: parts of the study that overlap with these.
        coalitions: what was occluded.
        values: a row for each group, criterion and part; of several groups also for ``all``, which come first.
        interactions: likewise, for each pair of parts; none if the values are sampled.
    """

    parts: Sequence[str]
    left_out: Sequence[str]
    coalitions: Coalitions
    values: Sequence[ShapleyValue]
    interactions: Sequence[ShapleyInteraction]

    def values_of(self, group: str, criterion: str) -> list[ShapleyValue]:
        """Return the rows of a group and criterion, in the order of the parts."""
        return [row for row in self.values if (row.group, row.criterion) == (group, criterion)]

    @property
    def why_none(self) -> str:
        """Why there are no values at all, by any criterion; empty if there are some."""
        return "" if any(not row.reason for row in self.values) else self.values[0].reason

    def interactions_of(self, group: str, criterion: str) -> list[ShapleyInteraction]:
        """Return the rows of a group and criterion."""
        return [row for row in self.interactions if (row.group, row.criterion) == (group, criterion)]


def baseline_threshold(baseline: SubjectScores) -> float | None:
    """Return the baseline threshold for an FMR of 0.1 %; None where too few impostor scores support it."""
    impostor = baseline.scores.impostor
    return threshold_at_fmr(impostor, TARGET) if supports(impostor, TARGET) else None


def worths_of(
    mean: Influence, scores: SubjectScores, threshold: float | None, name: str
) -> dict[str, Influence | Unsupported]:
    """Return the worths of a coalition.

    Args:
        mean: the mean impostor score with its parts occluded.
        scores: likewise the scores.
        threshold: of the baseline photos (:func:`baseline_threshold`).
        name: of the coalition, for a reason.
    """
    return {SHIFT: mean, D_PRIME: _d_prime_worth(scores), FMR_RATIO: _log_fmr(scores, threshold, name)}


def _d_prime_worth(scores: SubjectScores) -> Influence | Unsupported:
    """Return minus d'."""
    if not scores.scores.authentic.n:
        return NO_AUTHENTIC
    found = d_prime_influence(scores)
    return found._replace(value=-found.value, by_subject=-found.by_subject, bias=-found.bias)


def _log_fmr(scores: SubjectScores, threshold: float | None, name: str) -> Influence | Unsupported:
    """Return the logarithm of the FMR at a threshold."""
    if threshold is None:
        return TOO_FEW_IMPOSTOR
    rate = fmr_influence(scores, threshold)
    if not rate.value:
        return Unsupported(f"{NO_FALSE_MATCH.reason} with {name} occluded")
    by_subject = rate.by_subject / rate.value
    return rate._replace(value=math.log(rate.value), by_subject=by_subject, degrees=degrees_by_variance(by_subject))


def coalition_name(parts: Sequence[str], mask: int) -> str:
    """Return the names of the parts of a coalition: ``eyes+nose``; ``no part`` for none."""
    return PLUS.join(part for place, part in enumerate(parts) if mask >> place & 1) or "no part"


def measure_shapley(
    recogniser: str,
    parts: Sequence[str],
    left_out: Sequence[str],
    coalitions: Coalitions,
    groups: Mapping[str, CoalitionWorths],
) -> ShapleyFigures:
    """Compute the Shapley values and interactions of each group, and their means over several groups.

    Args:
        recogniser: whose scores these are of.
        parts: the players.
        left_out: parts of the study that overlap with these.
        coalitions: of the players.
        groups: by name.
    """
    subjects = {name: found.subjects for name, found in groups.items()}
    values: list[ShapleyValue] = []
    interactions: list[ShapleyInteraction] = []
    for group in [ALL_GROUPS] * (len(groups) > 1) + list(groups):
        chosen = list(groups) if group == ALL_GROUPS and len(groups) > 1 else [group]
        photos = sum(groups[name].photos for name in chosen)
        seen = len({subject for name in chosen for subject in subjects[name]})
        for criterion in SHARED_CRITERIA:
            found, reason = _mean_shares(coalitions, {name: groups[name] for name in chosen}, criterion)
            for place, part in enumerate(parts):
                values.append(
                    ShapleyValue(
                        *(recogniser, group, criterion, part, EXACT if coalitions.exact else SAMPLED, photos, seen),
                        *(found.values[place], found.alone[place], found.last[place], found.total),
                        reason=reason,
                    )
                )
            for (first, second), value in zip(coalitions.pairs, found.interactions, strict=True):
                about = (recogniser, group, criterion, parts[first], parts[second], photos, seen)
                interactions.append(ShapleyInteraction(*about, value, reason))
    return ShapleyFigures(parts, left_out, coalitions, values, interactions)


class _Shares(NamedTuple):
    """How an effect is shared out: of each part, and each pair of parts, its figures."""

    values: Sequence[Interval]
    alone: Sequence[Interval]
    last: Sequence[Interval]
    interactions: Sequence[Interval]
    total: Interval


def _mean_shares(
    coalitions: Coalitions, groups: Mapping[str, CoalitionWorths], criterion: str
) -> tuple[_Shares, str]:
    """Share out the mean effect over groups; unknown with the reason where a group does not support the criterion."""
    worths: dict[str, list[Influence]] = {}
    for name, group in groups.items():
        reason = _unsupported(group, criterion)
        if reason:
            count = coalitions.players
            unknown = [UNKNOWN] * count
            return _Shares(unknown, unknown, unknown, [UNKNOWN] * len(coalitions.pairs), UNKNOWN), reason
        worths[name] = [each for of in group.worths if isinstance(each := of[criterion], Influence)]
    subjects = {name: group.subjects for name, group in groups.items()}
    values = {name: coalitions.shapley_values(found) for name, found in worths.items()}
    whole, players = coalitions.whole, range(coalitions.players)
    return (
        _Shares(
            values=[
                mean_interval(pooled({name: found[player] for name, found in values.items()}, subjects))
                for player in players
            ],
            alone=[_mean_sum(worths, coalitions.difference(1 << player, 0), subjects) for player in players],
            last=[
                _mean_sum(worths, coalitions.difference(whole, whole ^ 1 << player), subjects) for player in players
            ],
            interactions=[_mean_sum(worths, weights, subjects) for weights in coalitions.interactions],
            total=_mean_sum(worths, coalitions.difference(whole, 0), subjects),
        ),
        "",
    )


def _unsupported(group: CoalitionWorths, criterion: str) -> str:
    """Say why a group has no worths by a criterion; empty if it has."""
    if not group.worths:
        return TOO_FEW_SUBJECTS.reason
    return next((found.reason for of in group.worths if isinstance(found := of[criterion], Unsupported)), "")


def _mean_sum(
    worths: Mapping[str, Sequence[Influence]], weights: NDArray[np.float64], subjects: Mapping[str, Sequence[str]]
) -> Interval:
    """Return the mean over groups of a weighted sum of worths."""
    return mean_interval(pooled({name: weighted_sum(found, weights) for name, found in worths.items()}, subjects))
