r"""Means of impostor scores in several conditions, and what they differ by, exactly as to pairs of people.

The sum of the scores between two people is the product of their summed embeddings, :math:`S_{pq} = E_p \cdot E_q`. So
all that a mean over pairs of people needs is in the (p, d) sums of each condition, and no pair is looked at:

- the mean itself, from :math:`\|\sum_p E_p\|^2 - \sum_p \|E_p\|^2`;
- how much higher it is than without a person, from :math:`\sum_{q \ne p} r_{pq}`;
- :math:`\sum_{p<q} r_{pq}^2`, from the d x d product :math:`E^T E`, since
  :math:`\sum_{pq} (E_p \cdot E_q)^2 = \|E^T E\|_F^2`;
- the mean over people drawn with replacement, each drawn :math:`w_p` times, from :math:`\sum_p w_p E_p`.

A contrast is a weighted sum of the means of conditions on the same photos: a shift is the mean with a part blurred
less the one of the originals. Its :math:`r_{pq}` are weighted sums, so that what the conditions have in common
cancels pair by pair: its interval is that of paired differences.

Across two lists a pair of people has scores in both directions, :math:`X_p \cdot Y_q + X_q \cdot Y_p`, which is
:math:`((X + Y)_p \cdot (X + Y)_q - (X - Y)_p \cdot (X - Y)_q) / 2`: the same form, with signs.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.analysis.influence import Influence

# Resamplings that are worked on at a time.
_AT_ONCE = 256


class PairSums(NamedTuple):
    """The summed impostor scores between every two people of a group, in one condition, as a product.

    Attributes:
        photos: int64, (p,), of each person.
        vectors: float64, (p, k).
        signs: float64, (k,): the scores between p and q add up to ``sum(signs * vectors[p] * vectors[q])``.
        each: how many scores two photos of different people have: 1 within a list, 2 across two.
    """

    photos: NDArray[np.int64]
    vectors: NDArray[np.float64]
    signs: NDArray[np.float64]
    each: int

    @property
    def pairs(self) -> float:
        """How many impostor scores there are."""
        return self.each * (float(self.photos.sum()) ** 2 - float((self.photos**2).sum())) / 2

    @property
    def mean(self) -> float:
        """The mean impostor score."""
        whole = self.vectors.sum(axis=0) ** 2 - (self.vectors**2).sum(axis=0)
        return float(np.dot(self.signs, whole)) / 2 / self.pairs


def pair_sums(
    photos: NDArray[np.int64], probe: NDArray[np.float64], gallery: NDArray[np.float64] | None = None
) -> PairSums:
    """Put together the scores between people.

    Args:
        photos: int64, (p,), of each person.
        probe: float64, (p, d), the sum of each person's embeddings.
        gallery: likewise, of the same people, on the other side; None if they are compared with each other.
    """
    if gallery is None:
        return PairSums(photos, probe, np.ones(probe.shape[1]), 1)
    vectors = np.concatenate([probe + gallery, probe - gallery], axis=1)
    return PairSums(photos, vectors, np.repeat([0.5, -0.5], probe.shape[1]), 2)


def contrast(conditions: Sequence[PairSums], weights: Sequence[float]) -> Influence:
    """Return a weighted sum of means of impostor scores, with what each person adds to it.

    Args:
        conditions: on the same photos.
        weights: (c,).
    """
    value = math.fsum(weight * condition.mean for weight, condition in zip(weights, conditions, strict=True))
    count = conditions[0].photos.astype(np.float64)
    # The mean that is taken off each score is one more product: that of the numbers of photos. All are sums of means
    # over the directions in which two people were compared.
    vectors = np.concatenate([*(condition.vectors for condition in conditions), count[:, None]], axis=1)
    signs = np.concatenate(
        [weight / condition.each * condition.signs for weight, condition in zip(weights, conditions, strict=True)]
        + [np.array([-value])]
    )
    pairs = (float(count.sum()) ** 2 - float((count**2).sum())) / 2
    of_people = (vectors * (vectors.sum(axis=0) - vectors)) @ signs
    own = (vectors**2) @ signs
    if len(vectors) > len(signs):
        products = (vectors.T @ vectors) ** 2
        whole = float(signs @ products @ signs)
    else:  # few people: pair by pair
        whole = float((((vectors * signs) @ vectors.T) ** 2).sum())
    squares = (whole - float(own @ own)) / 2
    without = np.maximum(pairs - count * (count.sum() - count), 1)
    return Influence(value, of_people / without, max(squares, 0.0) / pairs**2)


def resampled_means(conditions: Sequence[PairSums], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the means over people drawn with replacement: the vertex bootstrap.

    The scores between two people count as often as the product of how often either was drawn; a person who is drawn
    twice is not compared with himself (Snijders and Borgatti, "Non-parametric standard errors and tests for network
    statistics", Connections 22, 1999).

    Args:
        conditions: (c,), on the same photos.
        weights: float32, (b, p), how often each person was drawn; the same draws for all conditions, so that
            differences are paired.

    Returns:
        float64, (b, c).
    """
    means = np.empty((len(weights), len(conditions)))
    for place, condition in enumerate(conditions):
        vectors = torch.from_numpy(condition.vectors.astype(np.float32))
        own = (condition.vectors**2) @ condition.signs
        photos = condition.photos.astype(np.float64)
        for begin in range(0, len(weights), _AT_ONCE):
            drawn = weights[begin : begin + _AT_ONCE]
            sums = (torch.from_numpy(drawn) @ vectors).double().numpy()
            squared = drawn.astype(np.float64) ** 2
            totals = sums**2 @ condition.signs - squared @ own
            pairs = condition.each * ((drawn.astype(np.float64) @ photos) ** 2 - squared @ photos**2)
            means[begin : begin + _AT_ONCE, place] = totals / pairs
    return means


def resample_subjects(subjects: int, draws: int, seed: int) -> NDArray[np.float32]:
    """Resample the subjects with replacement, some times over; return how often each was drawn, (b, p)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(subjects, np.full(subjects, 1 / subjects), size=draws).astype(np.float32)
