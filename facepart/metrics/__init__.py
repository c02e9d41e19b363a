"""Scores -> figures, one metric a module.

Every metric takes vectors of scores (any real dtype, finite, not empty; a larger score means more alike) and computes
in float64. None needs them sorted.
"""

from facepart.metrics.dprime import d_prime
from facepart.metrics.kolmogorov_smirnov import kolmogorov_smirnov
from facepart.metrics.shift import mean_shift

__all__ = ["d_prime", "kolmogorov_smirnov", "mean_shift"]
