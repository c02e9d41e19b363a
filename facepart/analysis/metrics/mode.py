"""The mode of the scores: where their histogram is highest, in bins of 0.01.

Scores have 6 decimals; at single millionths a histogram is too ragged for its peak to mean anything.
"""

import math

from facepart.scores import ScoreDistribution


def binned_mode(scores: ScoreDistribution) -> float:
    """Return the middle of the fullest bin of 0.01, a multiple of 0.005; of several, the lowest.

    Args:
        scores: at least one.

    Example:
        >>> binned_mode(ScoreDistribution.of([0.101, 0.102, 0.109, 0.31]))
        0.105
    """
    first = math.floor(scores.scores[0] * 100)
    edges = [step / 100 for step in range(first, math.ceil(scores.scores[-1] * 100) + 2)]
    fullest = int(scores.histogram(edges).argmax())
    return round((edges[fullest] + edges[fullest + 1]) / 2, 6)
