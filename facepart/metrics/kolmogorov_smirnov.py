r"""The Kolmogorov-Smirnov statistic: the largest gap between two cumulative distributions of scores.

.. math:: D = \sup_x |F_1(x) - F_2(x)|

where :math:`F(x)` is the share of a set's scores that are at most x. 0: the same distribution; 1: a threshold parts
the two entirely. (N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals of
Mathematical Statistics 19, 1948.) No p-value is given: the scores of a set share faces and so are not independent,
which the test's null distribution takes for granted.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.metrics.scores import checked_scores


def kolmogorov_smirnov(first: ArrayLike, second: ArrayLike) -> float:
    """Compute the two-sample Kolmogorov-Smirnov statistic; the order of the two does not matter.

    Args:
        first: real numbers, (n,).
        second: real numbers, (m,).

    Returns:
        D, from 0 to 1.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> kolmogorov_smirnov([0.1, 0.2, 0.3, 0.4], [0.3, 0.4, 0.5, 0.6])
        0.5
    """
    # Scores are rounded, so they hold far fewer values than scores; the gap can only be largest at one of those.
    values_1, counts_1 = np.unique(checked_scores(first, "first set"), return_counts=True)
    values_2, counts_2 = np.unique(checked_scores(second, "second set"), return_counts=True)
    values = np.union1d(values_1, values_2)
    gap = _share_up_to(values, values_1, counts_1) - _share_up_to(values, values_2, counts_2)
    return float(np.abs(gap).max())


def _share_up_to(
    x: NDArray[np.float64], values: NDArray[np.float64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Evaluate at each `x` the cumulative distribution of ascending `values` that occur `counts` times."""
    cumulative = np.concatenate([[0], np.cumsum(counts)])
    return cumulative[np.searchsorted(values, x, side="right")] / cumulative[-1]
