"""The density of scores at a threshold: how fast an error rate changes there.

The derivatives of FNMR at an FMR and of the EER are ratios of such densities.
"""

import math

from facepart.scores import ScoreDistribution

# Half the width of the window: 0.9 standard deviations over the fifth root of the number of scores, the rate at which
# a kernel's width should fall (Silverman, "Density estimation for statistics and data analysis", 1986) ...
_WIDTH = 0.9
# ... and at least as wide as to cover many of the scores' own steps.
_MIN_HALF_WIDTH = 0.002


def density(scores: ScoreDistribution, threshold: float) -> float:
    """Estimate the density of scores at a threshold: the share in a window around it, divided by its width.

    Args:
        scores: at least one.
        threshold: any score.
    """
    half = max(_WIDTH * math.sqrt(scores.variance) * scores.n**-0.2, _MIN_HALF_WIDTH)
    below, above = scores.share_below([threshold - half, threshold + half])
    return float(above - below) / (2 * half)
