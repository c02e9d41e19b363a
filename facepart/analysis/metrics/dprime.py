r"""d': how far two distributions of scores stand apart, in units of their spread.

.. math:: d' = \frac{|\mu_a - \mu_i|}{\sqrt{(\sigma_a^2 + \sigma_i^2) / 2}}

with the means and the population variances (divided by n) of the authentic and the impostor scores. It is the
sensitivity index of signal detection theory (Green and Swets, "Signal Detection Theory and Psychophysics", 1966) in
its form for unequal variances (Daugman, "Biometric decision landscapes", University of Cambridge, UCAM-CL-TR-482,
2000), and what the original study prints. For normal distributions of one variance, the equal error rate is
:math:`\Phi(-d'/2)`.
"""

import math

from facepart.analysis.metrics.tally import Scores, mean_and_variance


def d_prime(authentic: Scores, impostor: Scores) -> float:
    """Compute d' between two sets of scores; the order of the two does not matter.

    Also of use between two authentic, or two impostor, sets: how far a blurred part moved them.

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
