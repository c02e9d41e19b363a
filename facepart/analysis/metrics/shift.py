r"""The mean shift: how much a change of the photos moves the scores.

.. math:: \Delta = \mu_{after} - \mu_{before}

in units of the score (cosine). Negative: scores are lower than before. Occluding a part that carries identity raises
impostor scores.
"""

from facepart.analysis.metrics.tally import Scores, mean_and_variance


def mean_shift(before: Scores, after: Scores) -> float:
    """Compute the change of the mean score.

    Args:
        before: a vector of scores, or a distribution.
        after: likewise.

    Returns:
        The mean after minus the mean before.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> mean_shift(before=[0.25, 0.75], after=[0.5, 1.0])
        0.25
    """
    return mean_and_variance(after, "after")[0] - mean_and_variance(before, "before")[0]
