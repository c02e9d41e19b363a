r"""The Wasserstein distance of order 1: the least mean distance that scores move from one distribution to the other.

.. math:: W = \int |F_1(x) - F_2(x)| dx

where :math:`F(x)` is the share of a set's scores that are at most x; in units of the score (cosine). Where one
distribution is the other shifted, it is the length of the shift; unlike the shift of the mean, it also changes with
the shape. (L. N. Vaserstein, "Markov processes over denumerable products of spaces", 1969; in one dimension: S. S.
Vallender, "Calculation of the Wasserstein distance between probability distributions on the line", 1974.)
"""

import numpy as np

from facepart.analysis.metrics.tally import Scores, shares_up_to, tally


def wasserstein(first: Scores, second: Scores) -> float:
    """Compute the Wasserstein distance; the order of the two does not matter.

    Args:
        first: a vector of scores, or a distribution.
        second: likewise.

    Returns:
        W, at least 0.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> wasserstein([0.0, 0.5], [0.25, 0.75])
        0.25
    """
    one, other = tally(first, "first set"), tally(second, "second set")
    values = np.union1d(one.values, other.values)
    gaps = np.abs(shares_up_to(values[:-1], one) - shares_up_to(values[:-1], other))
    return float(np.dot(gaps, np.diff(values)))
