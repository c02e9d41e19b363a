r"""Verification accuracy by folds, as Labeled Faces in the Wild defines it.

For each fold, the threshold is chosen on the pairs of all other folds, and the accuracy :math:`p_i` is the share of
the fold's pairs that are classified correctly with it: authentic pairs with a score at or above the threshold,
impostor pairs with a score below it. With F folds,

.. math:: \hat\mu = \frac{1}{F} \sum_i p_i, \qquad
   S_E = \frac{\hat\sigma}{\sqrt F}, \qquad \hat\sigma^2 = \frac{1}{F-1} \sum_i (p_i - \hat\mu)^2

(Huang, Ramesh, Berg and Learned-Miller, "Labeled Faces in the Wild: A Database for Studying Face Recognition in
Unconstrained Environments", University of Massachusetts, Technical Report 07-49, 2007, section 4).

The threshold is the one that classifies most pairs of the other folds correctly. Every score that occurs there is
tried, and one above all of them. If several are equally good, it is the highest of them, as in the code of FaceNet
and InsightFace, which keep the smallest of equally good distances; they try distances in steps of 0.01.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.scores import STEPS


class Fold(NamedTuple):
    """A fold.

    Attributes:
        fold: its number.
        pairs: how many pairs it has.
        threshold: chosen on all other folds.
        accuracy: share of its pairs that are classified correctly.
    """

    fold: int
    pairs: int
    threshold: float
    accuracy: float


class FoldAccuracy(NamedTuple):
    """The accuracy of a protocol.

    Attributes:
        mean: of the accuracies of the folds.
        standard_error: of this mean.
        folds: in the order of their numbers.
    """

    mean: float
    standard_error: float
    folds: tuple[Fold, ...]


def accuracy_by_folds(
    steps: NDArray[np.integer], authentic: NDArray[np.bool_], folds: NDArray[np.integer]
) -> FoldAccuracy:
    """Compute the accuracy by folds.

    Args:
        steps: whole numbers, (n,), the scores in millionths.
        authentic: bool, (n,).
        folds: whole numbers, (n,), the fold of each pair.

    Raises:
        FacepartError: there are fewer than two folds.

    Example:
        >>> steps, authentic = np.array([900_000, 100_000, 800_000, 850_000]), np.array([True, False, True, False])
        >>> found = accuracy_by_folds(steps, authentic, np.array([1, 1, 2, 2]))
        >>> [(fold.threshold, fold.accuracy) for fold in found.folds], found.mean, found.standard_error
        ([(0.850001, 1.0), (0.9, 0.5)], 0.75, 0.25)
    """
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise FacepartError("accuracy by folds needs at least two folds with pairs")
    values, places = np.unique(steps, return_inverse=True)
    size = len(values)
    table = np.bincount(places + size * authentic, minlength=2 * size).reshape(2, size)
    found = []
    for number in numbers:
        chosen = folds == number
        ours, same = places[chosen], authentic[chosen]
        others = table - np.bincount(ours + size * same, minlength=2 * size).reshape(2, size)
        # Correct if the threshold is the value at each place, or above all.
        below = np.concatenate([np.zeros((2, 1), np.int64), np.cumsum(others, axis=1)], axis=1)
        correct = below[0] + others[1].sum() - below[1]
        occurs = np.flatnonzero(others.sum(0))
        candidates = np.append(occurs, occurs[-1] + 1)
        best = candidates[len(candidates) - 1 - int(np.argmax(correct[candidates[::-1]]))]
        threshold = int(values[best]) if best <= occurs[-1] else int(values[occurs[-1]]) + 1
        accuracy = float(np.mean((steps[chosen] >= threshold) == same))
        found.append(Fold(int(number), len(ours), threshold / STEPS, accuracy))
    accuracies = np.array([fold.accuracy for fold in found])
    error = float(accuracies.std(ddof=1) / np.sqrt(len(found)))
    return FoldAccuracy(float(accuracies.mean()), error, tuple(found))
