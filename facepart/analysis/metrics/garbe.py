r"""GARBE, the Gini aggregation rate for biometric equitability: how unequal the error rates of groups are.

.. math:: G(r) = \frac{n}{n - 1} \, \frac{\sum_i \sum_j |r_i - r_j|}{2 n^2 \bar r}, \qquad
          GARBE = \alpha \, G(FMR) + (1 - \alpha) \, G(FNMR)

for the rates r of n groups with mean :math:`\bar r` (J. J. Howard, E. J. Laird, R. E. Rubin, Y. B. Sirotin, J. L.
Tipton, A. R. Vemury, "Evaluating Proposed Fairness Models for Face Recognition Algorithms", arXiv 2203.05051, 2022).
G is Gini's coefficient. Its factor n / (n - 1) is the usual one for few values: with it, G is 1 where one group has
all the errors, whatever the number of groups. 0: all groups have the same rate. G does not depend on the level of the
rates: 1 % against 2 % counts as much as 0.001 % against 0.002 %.

Where no group has an error, G is 0 / 0, and NaN: the rates are known to be small, but not to be equal.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from facepart.analysis.metrics.group_rates import checked_pair, checked_rates


def gini(rates: ArrayLike) -> float:
    """Compute Gini's coefficient of the rates, with the factor for few groups.

    Args:
        rates: (n,), FMR or FNMR, one for each group, n at least 2.

    Returns:
        From 0 to 1; NaN where all rates are 0.

    Raises:
        FacepartError: there are fewer than two groups, or a rate is not from 0 to 1.

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
        fmrs: (n,), one for each group, n at least 2.
        fnmrs: (n,), of the same groups.
        alpha: the weight of the FMR, from 0 to 1; the weight of the FNMR is the rest.

    Returns:
        From 0 to 1; 0 for the same rates in all groups; NaN where all FMRs or all FNMRs are 0.

    Raises:
        FacepartError: see :func:`gini`; or the numbers of FMRs and of FNMRs differ. UsageError: no such weight.

    Example:
        >>> garbe([0.25, 0.75], [0.125, 0.125])
        0.25
    """
    matched, missed = checked_pair(fmrs, fnmrs, alpha)
    return alpha * gini(matched) + (1 - alpha) * gini(missed)
