r"""Mean impostor scores in several conditions, and their differences, with exact variances.

The sum of the scores between two subjects is the product of their summed embeddings, :math:`S_{pq} = E_p \cdot E_q`.
So everything that a mean over pairs of subjects needs follows from the (p, d) sums of each condition, without going
through the pairs:

- the mean itself, from :math:`\|\sum_p E_p\|^2 - \sum_p \|E_p\|^2`;
- the influence of a subject, from :math:`\sum_{q \ne p} r_{pq}`;
- :math:`\sum_{p<q} r_{pq}^2`, from the d x d product :math:`E^T E`, since
  :math:`\sum_{pq} (E_p \cdot E_q)^2 = \|E^T E\|_F^2`;
- the mean over subjects resampled with replacement, each drawn :math:`w_p` times, from :math:`\sum_p w_p E_p`.

A contrast is a weighted sum of the means of conditions on the same photos: a shift is the mean with a part occluded
minus that of the baseline. Its :math:`r_{pq}` are weighted sums, so that what the conditions have in common cancels
pair by pair: its CI is that of paired differences.

Between two lists, a pair of subjects has scores in both directions, :math:`X_p \cdot Y_q + X_q \cdot Y_p`, which is
:math:`((X + Y)_p \cdot (X + Y)_q - (X - Y)_p \cdot (X - Y)_q) / 2`: the same form, with signs.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.analysis.influence import Influence

# Resamples in one matrix product.
_BLOCK = 256


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
    def mean(self) -> float:
        """The mean impostor score."""
        whole = self.vectors.sum(axis=0) ** 2 - (self.vectors**2).sum(axis=0)
        return float(np.dot(self.signs, whole)) / 2 / self.pairs


def pair_sums(
    photos: NDArray[np.int64], probe: NDArray[np.float64], gallery: NDArray[np.float64] | None = None
) -> PairSums:
    """Return the summed scores between subjects.

    Args:
        photos: int64, (p,), photos of each subject.
        probe: float64, (p, d), the sum of each subject's embeddings.
        gallery: likewise, of the same subjects, for another list of photos; None if the probes are compared with each
            other.
    """
    if gallery is None:
        return PairSums(photos, probe, np.ones(probe.shape[1]), 1)
    vectors = np.concatenate([probe + gallery, probe - gallery], axis=1)
    return PairSums(photos, vectors, np.repeat([0.5, -0.5], probe.shape[1]), 2)


def contrast(conditions: Sequence[PairSums], weights: Sequence[float]) -> Influence:
    """Return a weighted sum of mean impostor scores, with the influence of each subject.

    Args:
        conditions: on the same photos.
        weights: (c,).
    """
    value = math.fsum(weight * condition.mean for weight, condition in zip(weights, conditions, strict=True))
    count = conditions[0].photos.astype(np.float64)
    # The mean that is subtracted from each score is one more product: that of the numbers of photos. Every product is
    # divided by the number of directions in which two subjects are compared.
    vectors = np.concatenate([*(condition.vectors for condition in conditions), count[:, None]], axis=1)
    signs = np.concatenate(
        [weight / condition.each * condition.signs for weight, condition in zip(weights, conditions, strict=True)]
        + [np.array([-value])]
    )
    pairs = (float(count.sum()) ** 2 - float((count**2).sum())) / 2
    totals = (vectors * (vectors.sum(axis=0) - vectors)) @ signs
    own = (vectors**2) @ signs
    if len(vectors) > len(signs):
        products = (vectors.T @ vectors) ** 2
        whole = float(signs @ products @ signs)
    else:  # few subjects: pair by pair
        whole = float((((vectors * signs) @ vectors.T) ** 2).sum())
    squares = (whole - float(own @ own)) / 2
    without = np.maximum(pairs - count * (count.sum() - count), 1)
    return Influence(value, totals / without, max(squares, 0.0) / pairs**2)


def resampled_means(conditions: Sequence[PairSums], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the means over subjects resampled with replacement: the vertex bootstrap.

    The scores between two subjects are weighted by the product of how often each was drawn; a subject that is drawn
    twice is not compared with itself (Snijders and Borgatti, "Non-parametric standard errors and tests for network
    statistics", Connections 22, 1999).

    Args:
        conditions: (c,), on the same photos.
        weights: float32, (b, p), how often each subject was drawn; the same for all conditions, so that differences
            are paired.

    Returns:
        float64, (b, c).
    """
    means = np.empty((len(weights), len(conditions)))
    for place, condition in enumerate(conditions):
        vectors = torch.from_numpy(condition.vectors.astype(np.float32))
        own = (condition.vectors**2) @ condition.signs
        photos = condition.photos.astype(np.float64)
        for begin in range(0, len(weights), _BLOCK):
            drawn = weights[begin : begin + _BLOCK]
            sums = (torch.from_numpy(drawn) @ vectors).double().numpy()
            squared = drawn.astype(np.float64) ** 2
            totals = sums**2 @ condition.signs - squared @ own
            pairs = condition.each * ((drawn.astype(np.float64) @ photos) ** 2 - squared @ photos**2)
            means[begin : begin + _BLOCK, place] = totals / pairs
    return means


def resample_subjects(subjects: int, resamples: int, seed: int) -> NDArray[np.float32]:
    """Resample subjects with replacement, and return how often each is drawn in each resample, (b, p)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(subjects, np.full(subjects, 1 / subjects), size=resamples).astype(np.float32)
