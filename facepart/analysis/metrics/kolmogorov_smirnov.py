r"""The Kolmogorov-Smirnov statistic: the largest gap between two cumulative distributions of scores.

.. math:: D = \sup_x |F_1(x) - F_2(x)|

where :math:`F(x)` is the share of a set's scores that are at most x. 0: the same distribution; 1: a threshold
separates the two entirely. (N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals
of Mathematical Statistics 19, 1948.)

The p-value of the test assumes that scores are independent. The scores of a set share photos and subjects, so it is
far too small; it is here only because other programs print it. Studies do not report it.
"""

import math

import numpy as np

from facepart.analysis.metrics.tally import Scores, shares_up_to, tally
from facepart.errors import FacepartError

# Below this the p-value is 1 to 7 decimals; above it, this number of terms is enough.
_SURE, _TERMS = 0.25, 20


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


def kolmogorov_smirnov_p(statistic: float, first: int, second: int) -> float:
    r"""Compute the p-value of the statistic as if all scores were independent, which they are not.

    It is that of Kolmogorov's limiting distribution, :math:`2 \sum_{k \ge 1} (-1)^{k-1} e^{-2 k^2 x^2}`, at
    :math:`x = (\sqrt n + 0.12 + 0.11 / \sqrt n) D` with n the product of the two numbers of scores over their sum (M.
    A. Stephens, "Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics without extensive tables",
    Journal of the Royal Statistical Society B 32, 1970).

    Args:
        statistic: D, from 0 to 1.
        first: number of scores in the first set, at least 1.
        second: likewise.

    Returns:
        From 0 to 1; 0 where it is too small for a float.

    Raises:
        FacepartError: there is no such statistic, or a set is empty.

    Example:
        >>> round(kolmogorov_smirnov_p(0.5, 20, 30), 4)
        0.0029
    """
    if not 0 <= statistic <= 1 or first < 1 or second < 1:
        raise FacepartError(f"no statistic of {first} and {second} scores is {statistic}")
    root = math.sqrt(first * second / (first + second))
    x = (root + 0.12 + 0.11 / root) * statistic
    if x < _SURE:
        return 1.0
    # The terms decrease fast; beyond these they are below the last digit.
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * k**2 * x**2) for k in range(1, _TERMS))
    return min(max(math.fsum(terms), 0.0), 1.0)
