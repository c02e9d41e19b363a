r"""d': the distance between two distributions of scores, in units of their spread.

.. math:: d' = \frac{|\mu_a - \mu_i|}{\sqrt{(\sigma_a^2 + \sigma_i^2) / 2}}

with the means and the population variances (divided by n) of the authentic and the impostor scores. It is the
sensitivity index of signal detection theory (Green and Swets, "Signal Detection Theory and Psychophysics", 1966) in
its form for unequal variances (Daugman, "Biometric decision landscapes", University of Cambridge, UCAM-CL-TR-482,
2000), and what the original study prints. For normal distributions of one variance, the equal error rate is
:math:`\Phi(-d'/2)`.

Influences: with :math:`\Delta = \mu_a - \mu_i` and v the mean of the two variances, a score s changes d' by
:math:`\pm(s - \mu)/\sqrt v - \Delta ((s - \mu)^2 - \sigma^2) / (4 v^{3/2})`, divided by the number of scores of its
kind (plus for authentic ones); all of it with the sign of :math:`\Delta`.
"""

import math

import numpy as np

from facepart.analysis.influence import Influence, SubjectScores, leave_one_out
from facepart.analysis.metrics.tally import Scores, mean_and_variance


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
    difference, spread = authentic.mean - impostor.mean, (authentic.variance + impostor.variance) / 2
    if spread == 0:
        return Influence(value, np.full(count, np.nan), 0.0, effective)
    sign = math.copysign(1.0, difference)
    slope, curve = sign / math.sqrt(spread), -abs(difference) / (4 * spread**1.5)
    by_subject, double_counted = np.zeros(count), 0.0
    for scores, sums, direction in ((authentic, group.sums.authentic, 1.0), (impostor, group.sums.impostor, -1.0)):
        squares = sums.squares - 2 * scores.mean * sums.total + scores.mean**2 * sums.count
        by_subject += direction * slope * leave_one_out(sums.total - scores.mean * sums.count, scores, sums)
        by_subject += curve * leave_one_out(squares - scores.variance * sums.count, scores, sums)
        if direction < 0:
            deviations = scores.scores - scores.mean
            moved = -slope * deviations + curve * (deviations**2 - scores.variance)
            double_counted = float(np.dot(scores.counts, moved**2)) / scores.n**2
    return Influence(value, by_subject, double_counted, effective, group.subjects)
