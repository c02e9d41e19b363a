"""How often every score occurs: all that the statistics of a hundred million scores need, in megabytes.

Scores are kept to 6 decimals, so that there are few values (2,000,001 from -1 to 1) however many scores there are,
and counting them loses nothing. A distribution is a sum over its scores: those of parts of the pairs, computed
anywhere, add up to that of all pairs.

Conventions: a score is a multiple of 1e-6, held as a whole number of such steps ("millionths"); a larger score means
more alike. Counts and the sums over them are whole numbers of any size, rounded once, at the end: a mean over 10^12
scores is as exact as one over ten.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.errors import FacepartError
from facepart.scores.checks import checked_scores

# Steps in a score of 1: scores are kept to 6 decimals.
STEPS = 1_000_000
# The largest score that is counted, so that squares of differences fit 64 bits.
LARGEST = 1_000
# Of scores together: whole numbers of 64 bits hold more, also after rounding to a float.
_MOST = 2.0**62
# Whole numbers are multiplied and added in pieces of so many bits, see _weighted_sum.
_PIECE = 20


@dataclass(frozen=True, eq=False)
class ScoreDistribution:
    """The values that scores take, and how often.

    Attributes:
        values: int32, (k,), in millionths, strictly ascending; only values that occur.
        counts: int64, (k,), how often each occurs, at least 1.
    """

    values: NDArray[np.int32]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.values.dtype != np.int32 or self.counts.dtype != np.int64:
            raise FacepartError(f"values are int32 and counts int64, not {self.values.dtype} and {self.counts.dtype}")
        if self.values.ndim != 1 or self.values.shape != self.counts.shape:
            raise FacepartError(f"{self.values.shape} values do not go with {self.counts.shape} counts")
        if (self.values[1:] <= self.values[:-1]).any() or (self.counts < 1).any():
            raise FacepartError("values have to ascend, and each has to occur")
        if self.counts.sum(dtype=np.float64) > _MOST:
            raise FacepartError("counts are too large to be added")
        if len(self.values) and max(-int(self.values[0]), int(self.values[-1])) > LARGEST * STEPS:
            raise FacepartError(f"the largest score that can be counted is +-{LARGEST}")

    @classmethod
    def of(cls, scores: ArrayLike, name: str = "scores") -> "ScoreDistribution":
        """Count scores, each rounded to the nearest 6 decimals.

        Args:
            scores: real numbers, (n,); there may be none.
            name: what they are, for the message.

        Raises:
            FacepartError: they are no vector of finite real numbers, or one is beyond +-1000.

        Example:
            >>> found = ScoreDistribution.of([0.5, 0.25, 0.5])
            >>> found.values.tolist(), found.counts.tolist()
            ([250000, 500000], [1, 2])
        """
        if np.size(scores) == 0:
            return cls(np.empty(0, np.int32), np.empty(0, np.int64))
        vector = checked_scores(scores, name)
        if np.abs(vector).max() > LARGEST:
            raise FacepartError(f"{name}: the largest score that can be counted is +-{LARGEST}")
        steps = np.rint(vector * STEPS).astype(np.int64)
        lowest = int(steps.min())
        # A table is faster than sorting unless most of it stays empty.
        if int(steps.max()) - lowest <= min(4 * STEPS, 16 * len(steps)):
            return cls.of_table(np.bincount(steps - lowest), lowest)
        values, counts = np.unique(steps, return_counts=True)
        return cls(values.astype(np.int32), counts.astype(np.int64))

    @classmethod
    def of_table(cls, table: NDArray[np.integer], lowest: int = -STEPS) -> "ScoreDistribution":
        """Take over counts of every value from `lowest` (in millionths) on, many of them 0."""
        found = np.flatnonzero(table)
        return cls((found + lowest).astype(np.int32), table[found].astype(np.int64))

    @classmethod
    def merged(cls, parts: Iterable["ScoreDistribution"]) -> "ScoreDistribution":
        """Add up distributions; the order does not matter."""
        found = list(parts)
        values, places = np.unique(
            np.concatenate([np.empty(0, np.int32), *(part.values for part in found)]), return_inverse=True
        )
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, places, np.concatenate([np.empty(0, np.int64), *(part.counts for part in found)]))
        return cls(values, counts)

    def __add__(self, other: "ScoreDistribution") -> "ScoreDistribution":
        return self.merged([self, other])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScoreDistribution):
            return NotImplemented
        return np.array_equal(self.values, other.values) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]  # it holds arrays

    def __repr__(self) -> str:
        mean = f", mean={round(self.mean, 6)}" if self.n else ""
        return f"ScoreDistribution(n={self.n}{mean})"

    @cached_property
    def n(self) -> int:
        """How many scores there are."""
        return int(self.counts.sum())

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """The values as scores, float64, (k,): of each the float nearest to its 6 decimals."""
        return self.values / STEPS

    @cached_property
    def cumulative(self) -> NDArray[np.int64]:
        """How many scores are at most each value, int64, (k,)."""
        return np.cumsum(self.counts)

    @cached_property
    def mean(self) -> float:
        """The mean score. Raises FacepartError where there are no scores, as all that follow."""
        return float(self._mean)

    @cached_property
    def variance(self) -> float:
        """The population variance (divided by n)."""
        # About a value near the mean, so that the squares stay small; the shift is taken off again, exactly.
        centre = round(self._mean * STEPS)
        offsets = self.values.astype(np.int64) - centre
        squares = Fraction(_weighted_sum(offsets**2, self.counts), self.n)
        return float((squares - (self._mean * STEPS - centre) ** 2) / STEPS**2)

    @cached_property
    def mode(self) -> float:
        """The most frequent score; of several the lowest."""
        self._refuse_empty()
        return float(self.scores[np.argmax(self.counts)])

    def quantile(self, share: float) -> float:
        """Return the score below which a share of the scores lies, between two scores by linear interpolation.

        As ``numpy.quantile`` does by default (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages",
        1996).

        Args:
            share: from 0 to 1.
        """
        self._refuse_empty()
        place = Fraction(share) * (self.n - 1)
        below = int(place)
        first, second = (self._ranked(min(rank, self.n - 1)) for rank in (below, below + 1))
        return float(Fraction(first) + (place - below) * (second - first)) / STEPS

    def histogram(self, edges: ArrayLike) -> NDArray[np.int64]:
        """Count the scores in bins, as ``numpy.histogram``: each bin without its upper edge, the last one with it.

        Args:
            edges: (b + 1,), ascending.

        Returns:
            int64, (b,).
        """
        bounds = np.asarray(edges, np.float64)
        places = np.searchsorted(self.scores, bounds, side="left")
        places[-1] = np.searchsorted(self.scores, bounds[-1], side="right")
        return np.diff(self._up_to(places))

    def count_below(self, threshold: ArrayLike) -> NDArray[np.int64]:
        """Count the scores that are less than each threshold, int64, of the shape of `threshold`."""
        return self._up_to(np.searchsorted(self.scores, threshold, side="left"))

    def share_below(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the share of the scores less than each threshold: of authentic scores, the FNMR there."""
        self._refuse_empty()
        return self.count_below(threshold) / self.n

    def share_from(self, threshold: ArrayLike) -> NDArray[np.float64]:
        """Return the share of the scores at or above each threshold: of impostor scores, the FMR there."""
        self._refuse_empty()
        return (self.n - self.count_below(threshold)) / self.n

    @cached_property
    def _mean(self) -> Fraction:
        """The mean, in scores."""
        self._refuse_empty()
        lowest = int(self.values[0])
        total = _weighted_sum(self.values.astype(np.int64) - lowest, self.counts)
        return (Fraction(total, self.n) + lowest) / STEPS

    def _ranked(self, rank: int) -> int:
        """Return the score of a rank, from 0, in millionths."""
        return int(self.values[np.searchsorted(self.cumulative, rank, side="right")])

    def _up_to(self, places: NDArray[np.intp]) -> NDArray[np.int64]:
        return np.concatenate([[0], self.cumulative])[places]

    def _refuse_empty(self) -> None:
        if not self.n:
            raise FacepartError("there are no scores")


def _weighted_sum(numbers: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
    """Add up ``numbers * counts`` without a rounding or an overflow.

    Args:
        numbers: at least 0.
        counts: at least 0.
    """
    # Pieces of 20 bits: a product has 40, and the sum of as many as there are scores from -2 to 2 no more than 62.
    total = 0
    for block in range(0, len(numbers), 4 * STEPS):
        left, right = numbers[block : block + 4 * STEPS], counts[block : block + 4 * STEPS]
        for shift in range(0, int(left.max()).bit_length(), _PIECE):
            for other in range(0, int(right.max()).bit_length(), _PIECE):
                product = np.dot(_piece(left, shift), _piece(right, other))
                total += int(product) << (shift + other)
    return total


def _piece(numbers: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
    return (numbers >> shift) & ((1 << _PIECE) - 1)
