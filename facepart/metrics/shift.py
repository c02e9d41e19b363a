r"""The mean shift: where a change of the photos moved the scores, and how far.

.. math:: \Delta = \mu_{after} - \mu_{before}

in units of the score (cosine). Negative: the faces look less alike than before. Blurring a part that carries
identity lowers authentic scores and raises impostor scores.
"""

from numpy.typing import ArrayLike

from facepart.metrics.scores import checked_scores


def mean_shift(before: ArrayLike, after: ArrayLike) -> float:
    """Compute by how much the mean of the scores moved.

    Args:
        before: real numbers, (n,).
        after: real numbers, (m,).

    Returns:
        The mean after less the mean before.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> mean_shift(before=[0.25, 0.75], after=[0.5, 1.0])
        0.25
    """
    return float(checked_scores(after, "after").mean()) - float(checked_scores(before, "before").mean())
