r"""Mean impostor scores in several conditions, and their differences, with exact variances.

The sum of the scores between two subjects is the product of their summed embeddings, :math:`S_{pq} = E_p \cdot E_q`.
So everything that a mean over pairs of subjects needs follows from the (p, d) sums of each condition, without going
through the pairs:

- the mean itself, from :math:`\|\sum_p E_p\|^2 - \sum_p \|E_p\|^2`;
- the influence of a subject, from :math:`\sum_{q \ne p} r_{pq}`;
- :math:`\sum_{p<q} r_{pq}^2`, from the d x d product :math:`E^T E`, since
  :math:`\sum_{pq} (E_p \cdot E_q)^2 = \|E^T E\|_F^2`.

A contrast is a weighted sum of the means of conditions on the same subjects: a shift is the mean with a part occluded
minus that of the baseline. Its :math:`r_{pq}` are weighted sums, so that what the conditions have in common cancels
pair by pair: its CI is that of paired differences. Conditions may differ in their photos, such as those in which a
part was detected; a subject without a photo in a condition has no influence through it.

Between two lists, a pair of subjects has scores in both directions, :math:`X_p \cdot Y_q + X_q \cdot Y_p`, which is
:math:`((X + Y)_p \cdot (X + Y)_q - (X - Y)_p \cdot (X - Y)_q) / 2`: the same form, with signs.

A mean over pairs of photos weights a subject by the number of its photos. With each subject's mean embedding in place
of the sum, as if it were of one photo (:func:`subject_weighted_sums`), all of this is of a mean in which every pair
of subjects has the same weight.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.influence import Influence, effective_subjects


class PairSums(NamedTuple):
    """The summed impostor scores between every two subjects of a group in one condition, as a product.

    Attributes:
        photos: int64, (p,), photos of each subject.
        vectors: float64, (p, k).
        signs: float64, (k,): the scores between p and q add up to ``sum(signs * vectors[p] * vectors[q])``.
        each: number of scores of two photos of different subjects: 1 within a list, 2 between two.
    """

    photos: NDArray[np.int64]
    vectors: NDArray[np.float64]
    signs: NDArray[np.float64]
    each: int

    @property
    def pairs(self) -> float:
        """The number of impostor scores."""
        return self.each * (float(self.photos.sum()) ** 2 - float((self.photos**2).sum())) / 2

    @property
    def subject_pairs(self) -> NDArray[np.float64]:
        """The number of pairs of photos of different subjects that each subject has part in, float64, (p,)."""
        count = self.photos.astype(np.float64)
        return count * (count.sum() - count)

    @property
    def mean(self) -> float:
        """The mean impostor score; NaN where there is none."""
        whole = self.vectors.sum(axis=0) ** 2 - (self.vectors**2).sum(axis=0)
        return float(np.dot(self.signs, whole)) / 2 / self.pairs if self.pairs else math.nan


def pair_sums(
    photos: NDArray[np.int64], probe: NDArray[np.float64], gallery: NDArray[np.float64] | None = None
) -> PairSums:
    """Return the summed scores between subjects.

    Args:
        photos: int64, (p,), photos of each subject; 0 for one that has none in this condition.
        probe: float64, (p, d), the sum of each subject's embeddings.
        gallery: likewise, of the same subjects, for another list of photos; None if the probes are compared with each
            other.
    """
    if gallery is None:
        return PairSums(photos, probe, np.ones(probe.shape[1]), 1)
    vectors = np.concatenate([probe + gallery, probe - gallery], axis=1)
    return PairSums(photos, vectors, np.repeat([0.5, -0.5], probe.shape[1]), 2)


def subject_weighted_sums(sums: PairSums) -> PairSums:
    """Return the mean scores between subjects: every pair of subjects has the same weight."""
    count = sums.photos
    return sums._replace(photos=np.minimum(count, 1), vectors=sums.vectors / np.maximum(count, 1)[:, None])


def contrast(conditions: Sequence[PairSums], weights: Sequence[float]) -> Influence:
    """Return a weighted sum of mean impostor scores, with the influence of each subject.

    It rests on as many effective subjects as the condition that has the fewest, by the number of pairs of photos that
    each subject has part in.

    Args:
        conditions: of the same subjects in the same order; their photos may differ.
        weights: (c,).

    Returns:
        NaN, with unknown influences, where a condition has no impostor scores.
    """
    if not all(condition.pairs for condition in conditions):
        unknown = np.full(len(conditions[0].photos), math.nan)
        return Influence(math.nan, unknown, math.nan, 0.0)
    value = math.fsum(weight * condition.mean for weight, condition in zip(weights, conditions, strict=True))
    by_subject = np.zeros(len(conditions[0].photos))
    vectors, signs = [], []
    for weight, condition in zip(weights, conditions, strict=True):
        # The mean that is subtracted from each score is one more product: that of the numbers of photos.
        count = condition.photos.astype(np.float64)[:, None]
        deviations = np.concatenate([condition.vectors, count], axis=1)
        scales = np.append(condition.signs, -condition.each * condition.mean)
        totals = (deviations * (deviations.sum(axis=0) - deviations)) @ scales
        without = condition.pairs - condition.each * condition.subject_pairs
        by_subject += weight * totals / np.maximum(without, condition.each)
        vectors.append(deviations)
        signs.append(weight / condition.pairs * scales)
    effective = min(effective_subjects(condition.subject_pairs) for condition in conditions)
    squares = _sum_of_squares(vectors, signs)
    subjects = int(np.count_nonzero(np.sum([condition.photos for condition in conditions], axis=0)))
    return Influence(value, by_subject, squares, effective, subjects)


def _sum_of_squares(vectors: Sequence[NDArray[np.float64]], signs: Sequence[NDArray[np.float64]]) -> float:
    """Return the sum of the squares of ``sum(signs * vectors[p] * vectors[q])`` over all p < q.

    Args:
        vectors: in blocks of columns, (p, k) each, which are never put together: of a control's draws they are large.
        signs: likewise, (k,) each.
    """
    blocks = list(zip(vectors, signs, strict=True))
    own = np.sum([(block**2) @ scale for block, scale in blocks], axis=0)
    if len(own) > sum(map(len, signs)):
        whole = 0.0
        # In float32, which is twice as fast and right to 1e-5: enough for a small part of a variance.
        singles = [block.astype(np.float32) for block in vectors]
        for place, (block, scale) in enumerate(zip(singles, signs, strict=True)):
            for other in range(place + 1):
                squares = (block.T @ singles[other]).astype(np.float64) ** 2
                product = float(scale @ squares @ signs[other])
                whole += product if other == place else 2 * product
    else:  # few subjects: pair by pair
        pairs = np.sum([(block * scale) @ block.T for block, scale in blocks], axis=0)
        whole = float((pairs**2).sum())
    return max((whole - float(own @ own)) / 2, 0.0)
