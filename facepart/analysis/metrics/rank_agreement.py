r"""Kendall's tau-b: how far two rankings of the same items agree.

.. math:: \tau_b = \frac{C - D}{\sqrt{(N - T_x)(N - T_y)}}

over the N pairs of items: C pairs that both rankings put in the same order, D in opposite order, and :math:`T_x` and
:math:`T_y` pairs that one ranking, or the other, ties (M. G. Kendall, "The treatment of ties in ranking problems",
Biometrika 33, 1945). 1: the same order; -1: the reverse; near 0: one tells nothing about the other. No p-value is
given: the values of parts come from the same people and are not independent, and a study has too few parts.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from facepart.errors import FacepartError
from facepart.scores.checks import checked_scores


def kendall_tau(first: ArrayLike, second: ArrayLike) -> float:
    """Compute Kendall's tau-b between two rankings; the order of the two does not matter.

    Args:
        first: what one ranking goes by, a value an item, (n,), n at least 2; only the order of the values counts.
        second: what the other goes by, of the same items in the same order, (n,).

    Returns:
        From -1 to 1; NaN where a ranking ties all items, which then has no order to agree with.

    Raises:
        FacepartError: there are fewer than two items, more values of one than of the other, or not all are finite.

    Example:
        >>> kendall_tau([1, 2, 3, 4], [1, 2, 4, 3])
        0.6666666666666666
    """
    ours, theirs = checked_scores(first, "first ranking"), checked_scores(second, "second ranking")
    if len(ours) != len(theirs):
        raise FacepartError(f"rankings of the same items are compared, here are {len(ours)} and {len(theirs)} values")
    if len(ours) < 2:
        raise FacepartError("a ranking has two items or more, here is 1")
    # Signs, not products of differences, which could vanish; every pair counts twice in both halves of the fraction.
    one, other = (np.sign(np.subtract.outer(values, values)).astype(np.int64) for values in (ours, theirs))
    untied, other_untied = int(np.count_nonzero(one)), int(np.count_nonzero(other))
    if not untied or not other_untied:
        return math.nan
    return int((one * other).sum()) / math.sqrt(untied * other_untied)
