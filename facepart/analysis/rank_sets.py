r"""How certain ranks are: intervals for the ranks of all parts, and the set of parts that may be first, both at 95 %.

Estimates are compared pair by pair, and the comparisons are corrected for how many they are: with seven equal parts,
21 differences are tested, and comparisons at 95 % each would find a difference in about a third of all studies. The
sets hold for all parts at once: in 95 % of studies, every part's rank interval contains its true rank, and every part
that is truly first (there may be ties) is in the set of possible firsts. Method and proofs: M. Mogstad, J. P. Romano,
A. M. Shaikh, D. Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods and academic
achievement across countries", Review of Economic Studies 91, 2024.

**Tests.** :math:`H_{jk}: \theta_j \le \theta_k` is rejected, and part j is larger than part k, where the studentised
difference :math:`T_{jk} = (\hat\theta_j - \hat\theta_k) / s_{jk}` exceeds a critical value. A part's rank is at least 1
plus the number of parts that are larger, and at most the number of parts minus the number that it is larger than. The
critical value for a set S of hypotheses is the 95 % quantile of :math:`\max_S Z_{jk}`, where Z is normal with the
correlations of the estimated differences, over draws with a fixed seed.

**Possible firsts.** Part k is ruled out where :math:`T_{jk}` exceeds the critical value for some j. The hypotheses are
those on the parts not ruled out yet, :math:`S = \{(j, k): k \in I, j \ne k\}`.

**Steps down.** Tests are repeated with S reduced to hypotheses (or parts) that are not rejected yet, until no more are
rejected. This keeps the error (J. P. Romano, M. Wolf, "Exact and approximate stepdown methods for multiple hypothesis
testing", Journal of the American Statistical Association 100, 2005): up to the first false rejection, S contains all
true hypotheses; its critical value is at least that of the true ones alone, which the true ones exceed in at most 5 %
of studies, whatever the step. :math:`H_{kj}` stays in S where :math:`H_{jk}` is rejected, because it is true.

**Few subjects.** The variance of each difference is an estimate, so :math:`T_{jk}` is replaced by the normal score
with the same tail as in Student's t with the difference's degrees of freedom. For two parts, the tests are those of
the 95 % CI of their difference.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.intervals import LEVEL
from facepart.analysis.student_t import normal_score, t_score

# Of the maximum of normal variables: 20,000 draws have its 95 % quantile right to 0.15 percentage points.
DRAWS = 20_000
SEED = 20231


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
    first. A difference with a standard error of 0 counts unless it is 0.
    """

    def __init__(
        self, values: NDArray[np.float64], influences: NDArray[np.float64], degrees: NDArray[np.float64] | float
    ) -> None:
        """Take estimates.

        Args:
            values: float64 (k,), larger values rank higher.
            influences: float64 (k, p), of each subject on each estimate. The variance of a difference is the sum of
                the squares of the differences of these.
            degrees: degrees of freedom of each difference, (k, k), symmetric, or of all.
        """
        count = len(values)
        self._values = np.asarray(values, np.float64)
        # The result does not depend on the order in which parts are given: draws go by the order of the estimates.
        order = np.argsort(-self._values, kind="stable")
        first, second = np.triu_indices(count, 1)
        self._first, self._second = order[first], order[second]
        known = np.isfinite(influences).all(axis=1) & np.isfinite(self._values)
        self._known = known[self._first] & known[self._second]
        # The triangular factor R of the influences has the same scalar products as they, in few dimensions.
        factor = np.asarray(np.linalg.qr(np.where(known[:, None], influences, 0.0).T[:, order], mode="r"))
        directions = factor[:, first] - factor[:, second]
        self._errors = np.linalg.norm(directions, axis=0)
        self._degrees = np.broadcast_to(np.asarray(degrees, np.float64), (count, count))[self._first, self._second]
        units = directions / np.where(self._errors > 0, self._errors, 1.0)
        drawn = np.random.default_rng(SEED).standard_normal((DRAWS, len(factor))) @ units
        # Hypotheses: the first of a pair is not larger; then, the second is not.
        self._draws = np.concatenate([drawn, -drawn], axis=1)
        self._larger = np.concatenate([self._first, self._second])
        self._smaller = np.concatenate([self._second, self._first])
        self._scores = self._normal_scores()

    def simultaneous_differences(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of the simultaneous 95 % CIs of all differences, (k, k) each.

        That of row j and column k is of estimate j minus estimate k; NaN where either is not known.
        """
        count = len(self._values)
        reach = np.full((count, count), np.nan)
        np.fill_diagonal(reach, 0.0)
        critical = self._critical(np.ones(len(self._scores), dtype=bool))
        for place in np.flatnonzero(self._known):
            length = t_score(critical, float(self._degrees[place])) * self._errors[place]
            reach[self._first[place], self._second[place]] = reach[self._second[place], self._first[place]] = length
        differences = np.subtract.outer(self._values, self._values)
        return differences - reach, differences + reach

    def rank_intervals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the best and the worst rank of each part, (k,) each, simultaneously at 95 %."""
        rejected = np.zeros(len(self._scores), dtype=bool)
        while True:
            found = ~rejected & (self._scores > self._critical(~rejected))
            if not found.any():
                break
            rejected |= found
        count = len(self._values)
        ahead = np.bincount(self._smaller[rejected], minlength=count)
        behind = np.bincount(self._larger[rejected], minlength=count)
        return 1 + ahead, count - behind

    def possible_firsts(self) -> NDArray[np.bool_]:
        """Return the 95 % set of parts that may be first, bool (k,): it contains all true firsts at once."""
        possible = np.ones(len(self._values), dtype=bool)
        while True:
            about = possible[self._smaller]
            beaten = self._smaller[about & (self._scores > self._critical(about))]
            if not len(beaten):
                return possible
            possible[beaten] = False

    def _critical(self, chosen: NDArray[np.bool_]) -> float:
        """Return the critical value for some of the hypotheses; infinite for none."""
        draws = self._draws[:, chosen & np.tile(self._known, 2)]
        return float(np.quantile(draws.max(axis=1), LEVEL, method="higher")) if draws.shape[1] else np.inf

    def _normal_scores(self) -> NDArray[np.float64]:
        """Return the studentised differences as normal scores, two for each pair; 0 where they are not known."""
        scores = np.zeros(len(self._known))
        for place in np.flatnonzero(self._known):
            difference, error = (
                self._values[self._first[place]] - self._values[self._second[place]],
                self._errors[place],
            )
            if difference:
                t = difference / error if error else np.inf
                scores[place] = normal_score(float(t), float(self._degrees[place]))
        return np.concatenate([scores, -scores])


def rank_sets(
    values: NDArray[np.float64], influences: NDArray[np.float64], degrees: NDArray[np.float64] | float
) -> RankSets:
    """Return what is known of the ranks of parts; arguments as those of :class:`PairwiseComparisons`.

    Example:
        >>> moved = np.array([[1.0, -1.0] * 10, [1.0, 1.0, -1.0, -1.0] * 5, [0.0] * 20])
        >>> found = rank_sets(np.array([0.2, 0.1, -5.0]), 0.1 * moved, 19)
        >>> found.low.tolist(), found.high.tolist(), found.may_be_first.tolist()
        ([1, 1, 3], [2, 2, 3], [True, True, False])
    """
    compared = PairwiseComparisons(values, influences, degrees)
    return RankSets(*compared.rank_intervals(), compared.possible_firsts())
