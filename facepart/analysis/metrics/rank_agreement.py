r"""Kendall's tau-b, the agreement of two rankings of the same items, and Kendall's W, that of several.

**tau-b**

.. math:: \tau_b = \frac{C - D}{\sqrt{(N - T_x)(N - T_y)}}

over the N pairs of items: C pairs in the same order in both rankings, D in opposite order, and :math:`T_x` and
:math:`T_y` pairs that are tied in one ranking or the other (M. G. Kendall, "The treatment of ties in ranking
problems", Biometrika 33, 1945). 1: the same order; -1: the reverse; near 0: no relation. There is no p-value: the
values of parts come from the same subjects and are not independent, and a study has few parts.

**W**, the coefficient of concordance of m rankings of n items,

.. math:: W = \frac{12 \sum_j (R_j - \bar R)^2}{m^2 (n^3 - n) - m \sum_i T_i}, \qquad T_i = \sum_g (t_{ig}^3 - t_{ig})

with :math:`R_j` the sum of the m ranks of item j, where tied items share the mean of their ranks, and :math:`t_{ig}`
the sizes of the groups of ties in ranking i (M. G. Kendall and B. Babington Smith, "The problem of m rankings",
Annals of Mathematical Statistics 10, 1939; with ties: M. G. Kendall, "Rank correlation methods", 1948, chapter 6). 1:
all rankings are the same; 0: the sums of the ranks of all items are equal. Of two rankings, W is 0 if one is the
reverse of the other, and 0.5 where there is no relation.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from facepart.errors import FacepartError
from facepart.scores.checks import checked_scores


def kendall_tau(first: ArrayLike, second: ArrayLike) -> float:
    """Compute Kendall's tau-b between two rankings; the order of the two does not matter.

    Args:
        first: (n,), the values that one ranking is by, n at least 2; only their order counts.
        second: (n,), those of the other, of the same items in the same order.

    Returns:
        From -1 to 1; NaN where all items of a ranking are tied.

    Raises:
        FacepartError: there are fewer than two items, the numbers of values differ, or not all are finite.

    Example:
        >>> kendall_tau([1, 2, 3, 4], [1, 2, 4, 3])
        0.6666666666666666
    """
    values, other_values = checked_scores(first, "first ranking"), checked_scores(second, "second ranking")
    if len(values) != len(other_values):
        raise FacepartError(
            f"rankings of the same items are compared, here are {len(values)} and {len(other_values)} values"
        )
    if len(values) < 2:
        raise FacepartError("a ranking has two items or more, here is 1")
    # Signs, since products of differences could underflow; every pair counts twice in numerator and denominator.
    one, other = (np.sign(np.subtract.outer(each, each)).astype(np.int64) for each in (values, other_values))
    untied, other_untied = int(np.count_nonzero(one)), int(np.count_nonzero(other))
    if not untied or not other_untied:
        return math.nan
    return int((one * other).sum()) / math.sqrt(untied * other_untied)


def kendall_w(rankings: ArrayLike) -> float:
    """Compute Kendall's coefficient of concordance W, corrected for ties.

    Args:
        rankings: (m, n), the values that each of m rankings of n items is by, m and n at least 2; only their order
            counts.

    Returns:
        From 0 to 1; NaN where all items are tied in every ranking.

    Raises:
        FacepartError: there are fewer than two rankings or items, or not all values are finite.

    Example:
        >>> kendall_w([[1, 2, 3, 4], [1, 2, 4, 3], [1, 2, 3, 4]])
        0.9111111111111111
    """
    values = np.asarray(rankings, np.float64)
    if values.ndim != 2 or min(values.shape) < 2:
        raise FacepartError(f"two rankings or more, of two items or more, are compared, here is {values.shape}")
    if not np.isfinite(values).all():
        raise FacepartError("rankings to compare: not all values are finite")
    # Twice the rank of each item less the mean rank: how many items are below it, minus those above it.
    ranks = np.sign(values[:, :, None] - values[:, None, :]).sum(axis=2)
    # The squares of a ranking without ties sum to (n^3 - n) / 3, and ties take away (t^3 - t) / 3.
    largest = len(values) * float((ranks**2).sum())
    return float((ranks.sum(axis=0) ** 2).sum()) / largest if largest else math.nan
