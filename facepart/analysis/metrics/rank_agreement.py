r"""Kendall's tau-b: the agreement of two rankings of the same items.

.. math:: \tau_b = \frac{C - D}{\sqrt{(N - T_x)(N - T_y)}}

over the N pairs of items: C pairs in the same order in both rankings, D in opposite order, and :math:`T_x` and
:math:`T_y` pairs that are tied in one ranking or the other (M. G. Kendall, "The treatment of ties in ranking
problems", Biometrika 33, 1945). 1: the same order; -1: the reverse; near 0: no relation. There is no p-value: the
values of parts come from the same subjects and are not independent, and a study has few parts.
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
