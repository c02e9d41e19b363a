"""Scores in either form, as a vector or counted, for the metrics.

A metric depends on which values occur and how often, so that it is the same for both forms.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.errors import FacepartError
from facepart.scores.checks import checked_scores
from facepart.scores.distribution import ScoreDistribution

# A vector of scores (any real dtype, finite, not empty), or a distribution that is not empty.
Scores = ArrayLike | ScoreDistribution


class Tally(NamedTuple):
    """Values that occur, float64, (k,), strictly ascending, and how often, int64, (k,)."""

    values: NDArray[np.float64]
    counts: NDArray[np.int64]


def tally(scores: Scores, name: str) -> Tally:
    """Count scores, at their full precision.

    Args:
        scores: see :data:`Scores`.
        name: what they are, for the message.

    Raises:
        FacepartError: there are none, they are no vector of real numbers, or not all are finite.
    """
    if isinstance(scores, ScoreDistribution):
        _refuse_empty(scores, name)
        return Tally(scores.scores, scores.counts)
    values, counts = np.unique(checked_scores(scores, name), return_counts=True)
    return Tally(values, counts.astype(np.int64))


def mean_and_variance(scores: Scores, name: str) -> tuple[float, float]:
    """Return the mean and the population variance (divided by n) of scores; raises as :func:`tally`."""
    if isinstance(scores, ScoreDistribution):
        _refuse_empty(scores, name)
        return scores.mean, scores.variance
    vector = checked_scores(scores, name)
    if vector.min() == vector.max():  # in floats, a mean of equal scores may differ from them in its last bit
        return float(vector[0]), 0.0
    return float(vector.mean()), float(np.var(vector))


def shares_up_to(x: NDArray[np.float64], scores: Tally) -> NDArray[np.float64]:
    """Return the share of the scores that are at most each `x`, (m,): the cumulative distribution."""
    return _cumulative(scores)[np.searchsorted(scores.values, x, side="right")] / scores.counts.sum()


def shares_below(x: NDArray[np.float64], scores: Tally) -> NDArray[np.float64]:
    """Return the share of the scores that are less than each `x`, (m,)."""
    return _cumulative(scores)[np.searchsorted(scores.values, x, side="left")] / scores.counts.sum()


def shares_from(x: NDArray[np.float64], scores: Tally) -> NDArray[np.float64]:
    """Return the share of the scores at or above each `x`, (m,), to full precision even for one of a billion."""
    cumulative = _cumulative(scores)
    return (cumulative[-1] - cumulative[np.searchsorted(scores.values, x, side="left")]) / cumulative[-1]


def _cumulative(scores: Tally) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(scores.counts)])


def _refuse_empty(scores: ScoreDistribution, name: str) -> None:
    if not scores.n:
        raise FacepartError(f"{name}: there are no scores")
