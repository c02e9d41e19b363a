r"""Inequity: how many times the error rate of the worst group is that of the typical, or of the best, group.

.. math:: I = \frac{\max_i r_i}{\left(\prod_i r_i\right)^{1/n}}, \qquad R = \frac{\max_i r_i}{\min_i r_i}

for the rates r of n groups, FMR or FNMR, each by itself (P. Grother, "Face Recognition Vendor Test (FRVT) Part 8:
Summarizing Demographic Differentials", NIST IR 8429, 2022, which prefers the first: the second rests on the two
extreme groups alone, and the smallest rate is the one known worst). Both are 1 where all groups fare alike, and have
no upper bound; over two groups R is the square of I.

Where a group shows no error, neither is known: its true rate is small but not 0, and the ratio is anything above
some bound. The figure then is NaN, not infinity and not a number from a made-up rate. Whoever has an upper bound of
that group's rate may put it in the place of the 0, and gets a lower bound of the geometric mean's ratio.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from facepart.analysis.metrics.group_rates import checked_rates


def inequity(rates: ArrayLike) -> float:
    """Compute the largest rate over the geometric mean of all.

    Args:
        rates: FMR or FNMR, one a group, (n,), n at least 2.

    Returns:
        At least 1; NaN where a rate is 0.

    Raises:
        FacepartError: there are fewer than two groups, or a rate does not lie from 0 to 1.

    Example:
        >>> inequity([0.01, 0.04])
        2.0
    """
    vector = checked_rates(rates, "rates")
    if vector.min() == 0:
        return math.nan
    # Over the largest, so that no product of small rates can vanish and equal rates give 1 exactly.
    return math.exp(float(np.log(vector.max() / vector).mean()))


def max_min_ratio(rates: ArrayLike) -> float:
    """Compute the largest rate over the smallest; as :func:`inequity`.

    Example:
        >>> max_min_ratio([0.01, 0.04])
        4.0
    """
    vector = checked_rates(rates, "rates")
    if vector.min() == 0:
        return math.nan
    return float(vector.max() / vector.min())
