r"""d': the distance between two distributions of scores, in units of their spread.

.. math:: d' = \frac{|\mu_a - \mu_i|}{\sqrt{(\sigma_a^2 + \sigma_i^2) / 2}}

with the means and the population variances (divided by n) of the authentic and the impostor scores. It is the
sensitivity index of signal detection theory (Green and Swets, "Signal Detection Theory and Psychophysics", 1966) in
its form for unequal variances (Daugman, "Biometric decision landscapes", University of Cambridge, UCAM-CL-TR-482,
2000), and what the original study prints. For normal distributions of one variance, the equal error rate is
:math:`\Phi(-d'/2)`.

Influences are exact: means and variances without a subject follow from its sums. With few subjects, the variances
come out too small, and d' too large. The jackknife estimates by how much,

.. math:: -\frac{G - 1}{G} \sum_p u_p

for G subjects (M. H. Quenouille, "Notes on bias in estimation", Biometrika 43, 1956), and the CI lies about d'
without this bias. Without a subject, d' is taken with a sign: negative where the difference of the means has turned
round. With d' near 0, its absolute value would be too large without most subjects, and the CI would lie below 0.

What pairs of subjects count twice follows from the delta method: with :math:`\Delta = \mu_a - \mu_i` and v the mean
of the two variances, an impostor score s changes d' by
:math:`-(s - \mu)/\sqrt v - |\Delta| ((s - \mu)^2 - \sigma^2) / (4 v^{3/2})`, the first with the sign of
:math:`\Delta`, divided by the number of impostor scores.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.metrics.tally import Scores, mean_and_variance
from facepart.scores import ScoreDistribution
from facepart.scores.subject_sums import Sums


def d_prime(authentic: Scores, impostor: Scores) -> float:
    """Compute d' between two sets of scores; the order of the two does not matter.

    The two sets can also be of one kind: authentic, or impostor, scores before and after an occlusion.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.

    Returns:
        d', at least 0. Where neither set has any spread: 0 if all scores are equal, else infinity.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> d_prime([5, 7], [0, 2])
        5.0
    """
    mean, variance = mean_and_variance(authentic, "authentic")
    other_mean, other_variance = mean_and_variance(impostor, "impostor")
    distance, spread = abs(mean - other_mean), math.sqrt((variance + other_variance) / 2)
    if spread == 0:
        return math.inf if distance else 0.0
    return distance / spread


def d_prime_influence(group: SubjectScores) -> Influence:
    """Return d' between the authentic and the impostor scores of a group with its influences; see the module.

    Raises:
        FacepartError: there are no scores of a kind.
    """
    authentic, impostor = group.scores
    value, count = d_prime(authentic, impostor), len(group.sums.subjects)
    # It rests on both kinds: of few subjects with a second photo, the authentic mean and variance are hardly known.
    effective = min(group.effective_authentic, group.effective)
    spread = (authentic.variance + impostor.variance) / 2
    if spread == 0:
        return Influence(value, np.full(count, np.nan), 0.0, effective)
    mated, others = _moments(group.sums.authentic, 1), _moments(group.sums.impostor, 2)
    sign = math.copysign(1.0, authentic.mean - impostor.mean)
    whole, without = _signed_d_prime(*mated.whole, *others.whole), _signed_d_prime(*mated.without, *others.without)
    by_subject = sign * (whole - without)
    double_counted = _double_counted(authentic.mean - impostor.mean, spread, impostor)
    bias = -(group.subjects - 1) / group.subjects * float(by_subject.sum())
    return Influence(value, by_subject, double_counted, effective, group.subjects, bias=bias)


class _Moments(NamedTuple):
    """The number of scores, their sum and that of their squares: of all, (1,) each, and without a subject, (p,)."""

    whole: list[NDArray[np.float64]]
    without: list[NDArray[np.float64]]


def _moments(sums: Sums, subjects_of_a_score: int) -> _Moments:
    by_subject = [np.asarray(each, np.float64) for each in (sums.count, sums.total, sums.squares)]
    whole = [each.sum(keepdims=True) / subjects_of_a_score for each in by_subject]
    return _Moments(whole, [all_of_them - own for all_of_them, own in zip(whole, by_subject, strict=True)])


def _signed_d_prime(*moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return d' from the moments of authentic, then of impostor scores; not finite where there are none of a kind.

    It is negative where the authentic scores are the lower ones.
    """
    (count, total, squares), (other_count, other_total, other_squares) = moments[:3], moments[3:]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, other_mean = total / count, other_total / other_count
        variances = squares / count - mean**2 + other_squares / other_count - other_mean**2
        return (mean - other_mean) / np.sqrt(variances / 2)


def _double_counted(difference: float, spread: float, impostor: ScoreDistribution) -> float:
    deviations = impostor.scores - impostor.mean
    moved = -math.copysign(1.0, difference) / math.sqrt(spread) * deviations
    moved -= abs(difference) / (4 * spread**1.5) * (deviations**2 - impostor.variance)
    return float(np.dot(impostor.counts, moved**2)) / impostor.n**2
