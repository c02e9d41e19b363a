r"""EER, the equal error rate: the rate at the threshold where FMR and FNMR are equal.

With finitely many scores, FMR and FNMR need not be equal at any threshold; the EER is taken where the straight lines
between neighbouring points of the DET curve cross its diagonal, as is usual for ROC curves (ISO/IEC 19795-1 leaves
the interpolation open).

Influences: where the FMR comes out higher by :math:`\epsilon`, the threshold of equal rates moves up by
:math:`\epsilon / (f_a + f_i)`, with the densities f of the authentic and the impostor scores there. So the EER moves
by the mean of the two rates, each weighted by the density of the other kind's scores.

The CI has all rates x that a score test does not reject, in the way of Wilson's
(:mod:`facepart.analysis.wilson`). If x is the EER, the FNMR at an FMR of x is x. So with the threshold t at which
these scores have an FMR of x, and q a quantile of Student's t,

.. math:: |FNMR(t) - x| \le q \sqrt{x (1 - x) \left(\frac{1}{n_a} + \frac{f_a^2}{f_i^2 n_i}\right)}

with :math:`n_a, n_i` the effective numbers of authentic and impostor scores, which are estimated at the threshold of
equal rates, and the densities f at t. An EER is often made of two or three false non-matches, and then hardly varies
in the estimate: an interval from the estimated variance, of whatever shape, is too short.
"""

import math

import numpy as np

from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import Interval, interval, score_quantile, variance
from facepart.analysis.metrics.density import density
from facepart.analysis.metrics.error_rates import ErrorRates, error_rates, fmr_influence, fnmr_influence
from facepart.analysis.metrics.tally import Scores
from facepart.analysis.wilson import effective_number
from facepart.scores import ScoreDistribution
from facepart.scores.distribution import STEPS

# Halvings, which find an end of the CI to 1e-9 of the range.
_BISECTIONS = 30


def eer(authentic: Scores, impostor: Scores) -> float:
    """Compute the equal error rate.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.

    Returns:
        From 0 to 1; above 0.5 where most impostor scores are above the authentic scores.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> eer([0.4, 0.6, 0.8, 0.9], [0.1, 0.2, 0.3, 0.5])
        0.25
    """
    return eer_from_rates(error_rates(authentic, impostor))


def eer_from_rates(rates: ErrorRates) -> float:
    """Compute the equal error rate from all points of the curves."""
    excess = rates.fnmr - rates.fmr  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    if excess[after] == 0:
        return float(rates.fmr[after])
    before = after - 1
    way = -excess[before] / (excess[after] - excess[before])
    return float(rates.fmr[before] + way * (rates.fmr[after] - rates.fmr[before]))


def eer_influence(group: SubjectScores) -> Influence:
    """Return a group's EER with its influences; see the module.

    Raises:
        FacepartError: there are no scores of a kind.
    """
    authentic, impostor = group.scores
    threshold = _equal_threshold(authentic, impostor)
    missed, matched = fnmr_influence(group, threshold), fmr_influence(group, threshold)
    densities = density(authentic, threshold), density(impostor, threshold)
    share = densities[0] / sum(densities) if sum(densities) else 0.5
    by_subject = share * matched.by_subject + (1 - share) * missed.by_subject
    effective = min(missed.effective, matched.effective)
    return Influence(eer(authentic, impostor), by_subject, 0.0, effective, group.subjects)


def eer_interval(group: SubjectScores) -> Interval:
    """Return a group's EER with its CI; see the module.

    Raises:
        FacepartError: there are no scores of a kind.
    """
    found = eer_influence(group)
    plain = interval(found)
    if plain.no_ci:
        return plain
    test = _ScoreTest(group, score_quantile(found))
    low = test.last_accepted(found.value, 0.0)
    return plain._replace(low=low, high=test.last_accepted(found.value, 1.0))


class _ScoreTest:
    """Whether a rate may be the EER of a group's scores."""

    def __init__(self, group: SubjectScores, quantile: float) -> None:
        """Take scores of both kinds; estimate the effective numbers of scores at the threshold of equal rates."""
        self._authentic, self._impostor = group.scores
        self._quantile = quantile
        self._at_or_below = self._impostor.cumulative
        threshold = _equal_threshold(*group.scores)
        missed, matched = fnmr_influence(group, threshold), fmr_influence(group, threshold)
        # Few errors say little of how many scores a subject's are worth: at least one, and no more than there are.
        mated = effective_number(missed.value, variance(missed), missed.effective)
        self._mated = min(max(mated, missed.effective), self._authentic.n)
        self._others = effective_number(matched.value, variance(matched), matched.effective / 2)

    def last_accepted(self, accepted: float, end: float) -> float:
        """Return the rate farthest towards `end` that is not rejected, by bisection."""
        if self._accepts(end):
            return end
        rejected = end
        for _ in range(_BISECTIONS):
            middle = (accepted + rejected) / 2
            accepted, rejected = (middle, rejected) if self._accepts(middle) else (accepted, middle)
        return accepted

    def _accepts(self, rate: float) -> bool:
        threshold = self._threshold(rate)
        others = density(self._impostor, threshold)
        slope = density(self._authentic, threshold) / others if others else 0.0
        spread = rate * (1 - rate) * (1 / self._mated + slope**2 / self._others)
        excess = float(self._authentic.share_below(threshold)) - rate
        return abs(excess) <= self._quantile * math.sqrt(spread)

    def _threshold(self, rate: float) -> float:
        """Return the lowest threshold at which the FMR is at most a rate; the lowest score for 1."""
        fewest = self._impostor.n - math.floor(rate * self._impostor.n * (1 + 1e-12))
        place = int(np.searchsorted(self._at_or_below, fewest))
        return (int(self._impostor.values[place]) + 1) / STEPS if fewest > 0 else float(self._impostor.scores[0])


def _equal_threshold(authentic: ScoreDistribution, impostor: ScoreDistribution) -> float:
    """Return the lowest score at which the FNMR is at least the FMR."""
    values = np.union1d(authentic.scores, impostor.scores)
    excess = authentic.share_below(values) - impostor.share_from(values)
    return float(values[min(int(np.searchsorted(excess >= 0, True)), len(values) - 1)])
