r"""How certain ranks are: intervals for the ranks of all parts, and the set of parts that may be first, both at 95 %.

Estimates are compared pair by pair, and the comparisons are corrected for how many they are: with seven equal parts,
21 differences are tested, and comparisons at 95 % each would find a difference in almost half of all studies. The
sets hold for all parts at once: in 95 % of studies, every part's rank interval contains its true rank, and every part
that is truly first (there may be ties) is in the set of possible firsts. Method: M. Mogstad, J. P. Romano, A. M.
Shaikh, D. Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods and academic achievement
across countries", Review of Economic Studies 91, 2024.

**Tests.** :math:`H_{jk}: \theta_j \le \theta_k` is rejected, and part j is larger than part k, where the one-sided
p-value of :math:`(\hat\theta_j - \hat\theta_k) / s_{jk}`, by Student's t, is below 5 % divided by the number of
hypotheses in S (with t corrected for skewness, see below). At first, S has all ordered pairs of parts. A part's rank
is at least 1 plus the number of parts that are larger, and at most the number of parts minus the number that it is
larger than.

**Skewed subjects.** If a few subjects have an effect far from that of all others, :math:`t` is skewed the other way:
studies without such a subject underestimate both the difference and its error. So t becomes the smaller of t and

.. math:: t + \frac{g}{3} t^2 + \frac{g^2}{27} t^3 + \frac{g}{6}, \qquad
    g = \frac{n^2}{(n - 1)(n - 2)} \frac{\sum_p u_p^3}{(\sum_p u_p^2)^{3/2}}

for the influences u of n subjects on the difference (P. Hall, "On the removal of skewness by transformation", Journal
of the Royal Statistical Society B 54, 1992). The smaller of the two, because the skewness of few subjects is hardly
known: it is used to doubt a difference, not to claim one.

**Possible firsts.** Part k is ruled out where some :math:`H_{jk}` is rejected, with S the hypotheses on parts that
are not ruled out yet, :math:`\{(j, k): k \in I, j \ne k\}`.

**Steps down.** Tests are repeated with S reduced to hypotheses (or parts) that are not rejected yet, until no more
are rejected. This keeps the error (S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
Journal of Statistics 6, 1979): up to the first false rejection, S contains all true hypotheses, and any of these is
rejected at that bound in at most 5 % of studies, however the estimates depend on each other. :math:`H_{kj}` stays in
S where :math:`H_{jk}` is rejected, because it is true.

**Why not the maximum of correlated normal variables.** The authors take critical values from the correlations of the
estimates. With many subjects these are 3 to 5 % smaller than the ones here. But correlations that are estimated from
few subjects seem larger than they are: with 12 subjects, or 105 of whom few have most photos, the sets left out a
true first of seven in 7 to 8 % of studies. ``benchmarks/ties.py`` has the figures of the tests here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.intervals import LEVEL
from facepart.analysis.student_t import t_tail


class RankSets(NamedTuple):
    """What is known of the ranks of k parts, at 95 % for all of them at once.

    Attributes:
        low: int64 (k,), the best rank that each part may have, from 1.
        high: int64 (k,), the worst.
        may_be_first: bool (k,), whether each part may be first, which can rule out more than `low` does.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    may_be_first: NDArray[np.bool_]


class PairwiseComparisons:
    """Estimates compared pair by pair, at an error for all comparisons together.

    A part whose influences are not all finite is compared with none: its rank interval has all ranks, and it may be
    first, because nothing rules it out. A difference with a standard error of 0 counts unless it is 0.
    """

    def __init__(
        self,
        values: NDArray[np.float64],
        influences: NDArray[np.float64],
        degrees: NDArray[np.float64] | float,
        further: NDArray[np.float64] | float = 0.0,
    ) -> None:
        """Take estimates.

        Args:
            values: float64 (k,), larger values rank higher.
            influences: float64 (k, p), of each subject on each estimate. The variance of a difference is the sum of
                the squares of the differences of these, and its skewness follows from their cubes.
            degrees: degrees of freedom of each difference, (k, k), symmetric, or of all.
            further: what else adds to the variance of each estimate, independently, (k,), or of all.
        """
        count = len(values)
        known = np.isfinite(influences).all(axis=1) & np.isfinite(values)
        # Of every ordered pair, whether its hypothesis, that the first is not larger than the second, can be tested.
        self._tested = np.logical_and.outer(known, known) & ~np.eye(count, dtype=bool)
        self._differences = np.subtract.outer(values, values)
        squares = np.array([((influences - row) ** 2).sum(axis=1) for row in influences]).reshape(count, count)
        added = np.broadcast_to(np.asarray(further, np.float64), count)
        self._errors = np.sqrt(squares + np.add.outer(added, added) * ~np.eye(count, dtype=bool))
        self._skews = np.zeros((count, count))
        for one, other in np.argwhere(self._tested):
            self._skews[one, other] = _skew(influences[one] - influences[other], float(self._errors[one, other]))
        self._degrees = np.broadcast_to(np.asarray(degrees, np.float64), (count, count))
        self._p_values = np.ones((count, count))
        for pair in np.argwhere(self._tested):
            self._p_values[tuple(pair)] = self._p_value(*pair)

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Of each ordered pair, whether the hypothesis that the first is not larger can be tested, bool (k, k)."""
        return self._tested

    @property
    def p_values(self) -> NDArray[np.float64]:
        """The one-sided p-values of these hypotheses, float64 (k, k); 1 where one cannot be tested."""
        return self._p_values

    def rank_sets(self) -> RankSets:
        """Return what is known of the ranks, at 95 %.

        Example:
            >>> moved = np.array([[1.0, -1.0] * 10, [1.0, 1.0, -1.0, -1.0] * 5, [0.0] * 20])
            >>> found = PairwiseComparisons(np.array([0.2, 0.1, -5.0]), 0.1 * moved, 19).rank_sets()
            >>> found.low.tolist(), found.high.tolist(), found.may_be_first.tolist()
            ([1, 1, 3], [2, 2, 3], [True, True, False])
        """
        return RankSets(*self._rank_intervals(), self._possible_firsts())

    def _rank_intervals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the best and the worst rank of each part, (k,) each, simultaneously at 95 %."""
        rejected = np.zeros_like(self._tested)
        while (found := self._rejected(self._tested & ~rejected)).any():
            rejected |= found
        return 1 + rejected.sum(axis=0), len(rejected) - rejected.sum(axis=1)

    def _possible_firsts(self) -> NDArray[np.bool_]:
        """Return the 95 % set of parts that may be first, bool (k,): it contains all true firsts at once."""
        possible = np.ones(len(self._tested), dtype=bool)
        while (beaten := self._rejected(self._tested & possible).any(axis=0)).any():
            possible &= ~beaten
        return possible

    def _rejected(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the chosen hypotheses are rejected, if these are all that there are."""
        rejected: NDArray[np.bool_] = chosen & (self._p_values < _bound(chosen))
        return rejected

    def _p_value(self, first: int, second: int) -> float:
        """Return the one-sided p-value of the hypothesis that one part is not larger than another."""
        difference, error = float(self._differences[first, second]), float(self._errors[first, second])
        if not difference:
            return 0.5
        degrees = float(self._degrees[first, second])
        if not error:
            return t_tail(difference * np.inf, degrees)
        t, skew = difference / error, float(self._skews[first, second])
        return t_tail(min(t, t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6), degrees)


def significantly_larger(compared: Sequence[PairwiseComparisons]) -> NDArray[np.bool_]:
    """Return which estimates are significantly larger than which others, at 95 % for several rankings at once.

    The hypotheses of all rankings are tested together by the steps of Holm.

    Args:
        compared: m rankings of the same k estimates, which may depend on each other.

    Returns:
        bool (m, k, k): in each ranking, whether the estimate of the row is larger than that of the column.
    """
    tested = np.array([each.tested for each in compared])
    p_values = np.array([each.p_values for each in compared])
    rejected = np.zeros_like(tested)
    while (found := tested & ~rejected & (p_values < _bound(tested & ~rejected))).any():
        rejected |= found
    return rejected


def _skew(influences: NDArray[np.float64], error: float) -> float:
    """Return the skewness of a figure from the influences of its subjects; 0 with fewer than three of them."""
    subjects = int(np.count_nonzero(influences))
    if subjects < 3 or not error:
        return 0.0
    return subjects**2 / ((subjects - 1) * (subjects - 2)) * float((influences**3).sum()) / error**3


def _bound(chosen: NDArray[np.bool_]) -> float:
    """Return the p-value below which a hypothesis among so many is rejected."""
    return (1 - LEVEL) / max(int(np.count_nonzero(chosen)), 1)
