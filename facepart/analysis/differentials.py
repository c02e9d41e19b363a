"""Groups compared: the differences between their shifts and importances, and their error rates.

In the terms of ISO/IEC 19795-10: how the error rates of demographic groups differ at a threshold that all share (set
on all groups together, or on one of them), and at group-specific thresholds. Rates are those within each group.
docs/differentials.md says what the figures mean, and what they do not mean.

The figures of two groups without a common subject are independent. Where groups share subjects (a table by photo can
put the photos of a subject into two groups), their difference is paired by these.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import IMPORTANCE, SHIFT
from facepart.analysis.influence import Influence, SubjectScores, align_subjects, difference_of
from facepart.analysis.intervals import (
    MIN_SUBJECTS,
    UNKNOWN,
    Interval,
    interval,
    interval_degrees,
    rate_interval,
    ratio_interval,
    t_quantile,
)
from facepart.analysis.metrics import (
    TOO_FEW,
    fairness_discrepancy_rate,
    fmr_influence,
    fnmr_at_fmr_influence,
    fnmr_influence,
    garbe,
    inequity,
    supports,
    threshold_at_fmr,
)
from facepart.analysis.place_variance import place_variance
from facepart.analysis.results import ALL_GROUPS
from facepart.analysis.student_t import two_sided_p
from facepart.scores import ScoreDistribution

# Group-specific thresholds.
EACH_GROUP = "each"
_LEVEL = 0.05  # of significance


@dataclass(frozen=True)
class ShiftDifference:
    """The shift of a part, or its importance, in one group compared with that in another.

    Attributes:
        recogniser: name of the recogniser.
        part: the part.
        occlusion: name of the occlusion method.
        effect: ``impostor_shift``, or ``importance``, from which the control is subtracted.
        first: a group.
        second: another.
        paired: whether the two share subjects.
        difference: the first group's effect minus the second's.
        p_value: two-sided, of no difference; NaN where there is no CI.
        p_holm: the same corrected for all differences of this effect that the study tests with this recogniser.
        equivalent: whether the two effects differ by less than the study's margin; None without a margin or a CI.
    """

    recogniser: str = field(default="", kw_only=True)
    part: str
    occlusion: str
    effect: str = field(default=SHIFT, kw_only=True)
    first: str
    second: str
    paired: bool
    difference: Interval
    p_value: float = math.nan
    p_holm: float = math.nan
    equivalent: bool | None = None

    @property
    def is_significant(self) -> bool:
        """Whether it differs from 0 at 5 %, corrected for all differences."""
        return self.p_holm < _LEVEL


@dataclass(frozen=True)
class GroupRates:
    """A group's error rates at a threshold.

    Attributes:
        group: the group.
        threshold: the lowest score that counts as a match.
        fmr: false match rate.
        fnmr: false non-match rate; unknown where fewer than ten subjects have a second photo.
        refused: why the group is left out of comparisons; empty if it is not.
    """

    group: str
    threshold: float
    fmr: Interval
    fnmr: Interval
    refused: str


@dataclass(frozen=True)
class RateRatio:
    """The rates of the first group divided by those of the second."""

    first: str
    second: str
    fmr: Interval
    fnmr: Interval


@dataclass(frozen=True)
class Differential:
    """Error rates of all groups at thresholds that are set in the same way.

    Attributes:
        recogniser: name of the recogniser.
        part: the part that is occluded; ``baseline`` for none.
        target: the FMR that the threshold is set for.
        threshold_of: the baseline impostor scores that set it: of ``all`` groups, or of the named one; ``each`` for
            group-specific thresholds, set on the scores of the photos compared, occluded or not.
        groups: their rates.
        ratios: of every two groups that are compared.
        inequity_fmr: largest FMR divided by the geometric mean; NaN below two groups, as all that follow.
        inequity_fnmr: likewise of the FNMR.
        garbe: see :func:`facepart.analysis.metrics.garbe`.
        fairness_discrepancy: see :func:`facepart.analysis.metrics.fairness_discrepancy_rate`.
    """

    recogniser: str = field(default="", kw_only=True)
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
    shifts: Mapping[tuple[str, str], Mapping[str, Influence]],
    subjects: Mapping[str, Sequence[str]],
    margin: float | None = None,
    control_shifts: Mapping[str, Mapping[str, NDArray[np.float64]]] | None = None,
) -> list[ShiftDifference]:
    """Compare the shift of each part between every two groups, or its importance.

    Args:
        shifts: (part, name of the occlusion method) -> group -> the shift, with the influence of each subject.
        subjects: group -> names of the subjects, in that order.
        margin: a difference up to which two shifts count as equivalent; None for no such test.
        control_shifts: for importances: part -> group -> the shift by each draw of the control, (n,). Groups share
            the places, so that a place counts by how differently it shifts the scores of the two.
    """
    found = []
    for (part, occlusion), by_group in shifts.items():
        for first, second in combinations(by_group, 2):
            influence, paired = difference_of(
                (by_group[first], subjects[first]), (by_group[second], subjects[second])
            )
            if control_shifts is not None:
                draws = control_shifts[part]
                influence = influence._replace(places=place_variance(draws[first] - draws[second]))
            difference = interval(influence)
            p_value, equivalent = math.nan, None
            if math.isfinite(difference.low):
                degrees = interval_degrees(influence)
                p_value = two_sided_p(difference.value, difference.error, degrees)
                equivalent = None if margin is None else is_equivalent(difference, degrees, margin)
            found.append(
                ShiftDifference(
                    part,
                    occlusion,
                    first,
                    second,
                    paired,
                    difference,
                    p_value,
                    equivalent=equivalent,
                    effect=SHIFT if control_shifts is None else IMPORTANCE,
                )
            )
    corrected = holm([each.p_value for each in found])
    return [replace(each, p_holm=p) for each, p in zip(found, corrected, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for how many there are.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.

    Args:
        p_values: those that are NaN are not tests, and stay NaN.

    Returns:
        To be compared with 0.05: at most one study in twenty then finds any difference where there is none.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    corrected, largest = [math.nan] * len(p_values), 0.0
    for rank, (p, place) in enumerate(tested):
        largest = max(largest, min((len(tested) - rank) * p, 1.0))
        corrected[place] = largest
    return corrected


def is_equivalent(difference: Interval, degrees: float, margin: float) -> bool:
    """Return whether a difference is smaller than a margin, by two one-sided tests at 5 % each.

    Both reject where the 90 % CI lies within the margin (D. J. Schuirmann, "A comparison of the two one-sided tests
    procedure and the power approach for assessing the equivalence of average bioavailability", Journal of
    Pharmacokinetics and Biopharmaceutics 15, 1987).

    Args:
        difference: with its standard error.
        degrees: of freedom of that error.
        margin: above 0.
    """
    reach = t_quantile(0.95, degrees) * difference.error
    return abs(difference.value) + reach < margin


def common_threshold(baselines: Mapping[str, ScoreDistribution], target: float, threshold_of: str) -> float | None:
    """Return the threshold that all groups share; None where there are too few impostor scores, or none.

    Args:
        baselines: group -> its baseline impostor scores; a group without any is left out.
        target: the FMR.
        threshold_of: ``all`` or a group's name.
    """
    if not baselines or threshold_of not in (ALL_GROUPS, *baselines):
        return None
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

    A group with fewer than ten subjects has no rates. It is left out of ratios and summaries, as is a group with
    fewer than ten expected false matches at the target.

    Args:
        part: the part that is occluded; ``baseline`` for none.
        groups: group -> the scores of these photos.
        baselines: group -> its baseline impostor scores.
        target: the FMR that the threshold is set for.
        threshold_of: see :class:`Differential`.
    """
    common = None if threshold_of == EACH_GROUP else common_threshold(baselines, target, threshold_of)
    rates: list[GroupRates] = []
    compared: dict[str, _GroupErrors] = {}
    for name, scores in groups.items():
        threshold = threshold_at_fmr(scores.scores.impostor, target) if threshold_of == EACH_GROUP else common
        refused = _refusal(scores, target)
        if threshold is None or scores.subjects < MIN_SUBJECTS:
            rates.append(GroupRates(name, math.nan, UNKNOWN, UNKNOWN, refused or "no threshold"))
            continue
        errors = _GroupErrors(scores, threshold, target if threshold_of == EACH_GROUP else None)
        rates.append(GroupRates(name, threshold, errors.fmr_interval(), errors.fnmr_interval(), refused))
        if not refused:
            compared[name] = errors
    known = [row for row in rates if row.group in compared]
    fmrs, fnmrs = [row.fmr.value for row in known], [row.fnmr.value for row in known]
    several = len(known) > 1
    both = several and all(math.isfinite(rate) for rate in fnmrs)
    return Differential(
        part=part,
        target=target,
        threshold_of=threshold_of,
        groups=rates,
        ratios=[
            RateRatio(first, second, *compared[first].ratios_to(compared[second]))
            for first, second in combinations(compared, 2)
        ],
        inequity_fmr=inequity(fmrs) if several else math.nan,
        inequity_fnmr=inequity(fnmrs) if both else math.nan,
        garbe=garbe(fmrs, fnmrs) if both else math.nan,
        fairness_discrepancy=fairness_discrepancy_rate(fmrs, fnmrs) if both else math.nan,
    )


def _refusal(group: SubjectScores, target: float) -> str:
    if group.subjects < MIN_SUBJECTS:
        return f"fewer than {MIN_SUBJECTS} subjects"
    return "" if supports(group.scores.impostor, target) else TOO_FEW


class _GroupErrors:
    """The error rates of a group at a threshold, with the influence of each subject."""

    def __init__(self, group: SubjectScores, threshold: float, own_target: float | None) -> None:
        """Compute the rates.

        Args:
            group: at least ten subjects.
            threshold: the lowest score that counts as a match.
            own_target: the FMR for which these scores set the threshold, which then is an estimate as well; None for
                a threshold from other scores.
        """
        self._names = group.sums.subjects.tolist()
        self._fmr = fmr_influence(group, threshold)
        self._authentic_subjects = group.authentic_subjects
        self._fnmr: Influence | None = None
        if self._authentic_subjects >= MIN_SUBJECTS:
            if own_target is None:
                self._fnmr = fnmr_influence(group, threshold)
            else:
                self._fnmr = fnmr_at_fmr_influence(group, own_target)

    def fmr_interval(self) -> Interval:
        """Return the FMR with its CI."""
        return rate_interval(self._fmr, self._fmr.effective / 2)

    def fnmr_interval(self) -> Interval:
        """Return the FNMR with its CI; unknown where fewer than ten subjects have a second photo."""
        if self._fnmr is None:
            return UNKNOWN
        return rate_interval(self._fnmr, self._fnmr.effective)

    def ratios_to(self, other: "_GroupErrors") -> tuple[Interval, Interval]:
        """Return the FMR and the FNMR divided by those of another group."""
        one, two, _ = align_subjects((self._fmr, self._names), (other._fmr, other._names))
        fmr = ratio_interval(one, two)
        if self._fnmr is None or other._fnmr is None:
            return fmr, UNKNOWN
        one, two, _ = align_subjects((self._fnmr, self._names), (other._fnmr, other._names))
        return fmr, ratio_interval(one, two)
