r"""The Kolmogorov-Smirnov statistic: the largest gap between two cumulative distributions of scores.

.. math:: D = \sup_x |F_1(x) - F_2(x)|

where :math:`F(x)` is the share of a set's scores that are at most x. 0: the same distribution; 1: a threshold parts
the two entirely. (N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals of
Mathematical Statistics 19, 1948.) No p-value is given: the scores of a set share faces and so are not independent,
which the test's null distribution takes for granted.
"""

import numpy as np

from facepart.analysis.metrics.tally import Scores, shares_up_to, tally


def kolmogorov_smirnov(first: Scores, second: Scores) -> float:
    """Compute the two-sample Kolmogorov-Smirnov statistic; the order of the two does not matter.

    Args:
        first: a vector of scores, or a distribution.
        second: likewise.

    Returns:
        D, from 0 to 1.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> kolmogorov_smirnov([0.1, 0.2, 0.3, 0.4], [0.3, 0.4, 0.5, 0.6])
        0.5
    """
    one, other = tally(first, "first set"), tally(second, "second set")
    # The shares only change at scores, so the gap is largest at one.
    values = np.union1d(one.values, other.values)
    return float(np.abs(shares_up_to(values, one) - shares_up_to(values, other)).max())
