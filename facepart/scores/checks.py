"""What every count and every metric asks of scores."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.counts import are, count_of
from facepart.errors import FacepartError


def checked_scores(scores: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return scores as a float64 vector.

    Args:
        scores: real numbers, (n,), n at least 1.
        name: what the scores are, for the message.

    Raises:
        FacepartError: there are none, they are not one row of real numbers, or not all are finite.
    """
    array: NDArray[Any] = np.asarray(scores)
    if isinstance(scores, np.ma.MaskedArray) and np.ma.is_masked(scores):
        raise FacepartError(f"{name}: some scores are masked; give those that count: scores.compressed()")
    if array.size == 0:
        raise FacepartError(f"{name}: there are no scores")
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise FacepartError(f"{name}: scores are a vector of real numbers, not {array.dtype} of shape {array.shape}")
    vector = array.astype(np.float64, copy=False)
    unusable = vector.size - int(np.count_nonzero(np.isfinite(vector)))
    if unusable:
        raise FacepartError(f"{name}: {unusable} of {count_of(vector.size, 'score')} {are(vector.size)} not finite")
    return vector
