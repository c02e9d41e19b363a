r"""GARBE, the Gini aggregation rate for biometric equitability: how unevenly errors fall on groups, as one number.

.. math:: G(r) = \frac{n}{n - 1} \, \frac{\sum_i \sum_j |r_i - r_j|}{2 n^2 \bar r}, \qquad
          GARBE = \alpha \, G(FMR) + (1 - \alpha) \, G(FNMR)

for the rates r of n groups with mean :math:`\bar r` (J. J. Howard, E. J. Laird, R. E. Rubin, Y. B. Sirotin, J. L.
Tipton, A. R. Vemury, "Evaluating Proposed Fairness Models for Face Recognition Algorithms", arXiv 2203.05051, 2022).
G is Gini's coefficient; its factor n / (n - 1) is the usual one for few values, by which G is 1 where one group has
all the errors, however many groups there are. 0: all groups have the same rate. A G does not depend on the level
of the rates: 1 % against 2 % counts as much as 0.001 % against 0.002 %.

Where no group shows any error, G is 0 / 0 and NaN: that the rates are equal is not known, only that they are small.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from facepart.analysis.metrics.group_rates import checked_pair, checked_rates


def gini(rates: ArrayLike) -> float:
    """Compute Gini's coefficient of the rates, with the factor for few groups.

    Args:
        rates: FMR or FNMR, one a group, (n,), n at least 2.

    Returns:
        From 0 to 1; NaN where all rates are 0.

    Raises:
        FacepartError: there are fewer than two groups, or a rate does not lie from 0 to 1.

    Example:
        >>> gini([0.25, 0.75])
        0.5
    """
    vector = checked_rates(rates, "rates")
    if vector.max() == 0:
        return math.nan
    n = len(vector)
    # n of the factor and 1 / n of the mean's sum cancel against the square.
    return float(np.abs(np.subtract.outer(vector, vector)).sum() / (2 * (n - 1) * vector.sum()))


def garbe(fmrs: ArrayLike, fnmrs: ArrayLike, alpha: float = 0.5) -> float:
    """Compute GARBE from the error rates of groups at one threshold.

    Args:
        fmrs: one a group, (n,), n at least 2.
        fnmrs: of the same groups, (n,).
        alpha: the weight of the FMR, from 0 to 1; the FNMR has the rest.

    Returns:
        From 0, the same rates in all groups, to 1; NaN where all FMRs or all FNMRs are 0.

    Raises:
        FacepartError: see :func:`gini`; or there are more of one rate than of the other. UsageError: no such weight.

    Example:
        >>> garbe([0.25, 0.75], [0.125, 0.125])
        0.25
    """
    ours, theirs = checked_pair(fmrs, fnmrs, alpha)
    return alpha * gini(ours) + (1 - alpha) * gini(theirs)
