r"""The mean shift: where a change of the photos moved the scores, and how far.

.. math:: \Delta = \mu_{after} - \mu_{before}

in units of the score (cosine). Negative: the faces look less alike than before. Blurring a part that carries
identity lowers authentic scores and raises impostor scores.
"""

from facepart.analysis.metrics.tally import Scores, mean_and_variance


def mean_shift(before: Scores, after: Scores) -> float:
    """Compute by how much the mean of the scores moved.

    Args:
        before: a vector of scores, or a distribution.
        after: likewise.

    Returns:
        The mean after less the mean before.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> mean_shift(before=[0.25, 0.75], after=[0.5, 1.0])
        0.25
    """
    return mean_and_variance(after, "after")[0] - mean_and_variance(before, "before")[0]
