r"""Inequity: the error rate of the worst group divided by that of the typical, or of the best, group.

.. math:: I = \frac{\max_i r_i}{\left(\prod_i r_i\right)^{1/n}}, \qquad R = \frac{\max_i r_i}{\min_i r_i}

for the rates r of n groups, either FMR or FNMR (P. Grother, "Face Recognition Vendor Test (FRVT) Part 8:
Summarizing Demographic Differentials", NIST IR 8429, 2022, which prefers the first: the second depends on the two
extreme groups alone, and the smallest rate is the least certain). Both are 1 where all groups have the same rate, and
have no upper bound; for two groups R is the square of I.

Where a group has no error, both are unknown: its true rate is small but not 0, and the ratio can be anything above
some bound. The figure then is NaN, neither infinity nor a number from a made-up rate. With an upper bound of that
group's rate in place of the 0, the inequity is a lower bound.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from facepart.analysis.metrics.group_rates import checked_rates


def inequity(rates: ArrayLike) -> float:
    """Compute the largest rate divided by the geometric mean of all.

    Args:
        rates: (n,), FMR or FNMR, one for each group, n at least 2.

    Returns:
        At least 1; NaN where a rate is 0.

    Raises:
        FacepartError: there are fewer than two groups, or a rate is not from 0 to 1.

    Example:
        >>> inequity([0.01, 0.04])
        2.0
    """
    vector = checked_rates(rates, "rates")
    if vector.min() == 0:
        return math.nan
    # Divided by the largest, so that no product of small rates underflows and equal rates give exactly 1.
    return math.exp(float(np.log(vector.max() / vector).mean()))


def max_min_ratio(rates: ArrayLike) -> float:
    """Compute the largest rate divided by the smallest; arguments as :func:`inequity`.

    Example:
        >>> max_min_ratio([0.01, 0.04])
        4.0
    """
    vector = checked_rates(rates, "rates")
    if vector.min() == 0:
        return math.nan
    return float(vector.max() / vector.min())
