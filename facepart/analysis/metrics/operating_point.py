"""FNMR and TMR at an FMR: what a recogniser misses once its threshold allows so many false matches.

The threshold is the lowest at which the FMR over the impostor scores is at most the one asked for. Such a threshold
is only worth reporting where the scores support it: from fewer than ten expected false matches it is mostly chance,
so that no figure is given (the "rule of 30" of Doddington et al., "The NIST speaker recognition evaluation", Speech
Communication 31, 2000, asks for 30 errors to be within 30 % at 90 % confidence; ten are within about 50 %).
"""

from typing import NamedTuple

from facepart.analysis.metrics.error_rates import fmr, fnmr, threshold_at_fmr
from facepart.analysis.metrics.tally import Scores, tally

# The FMRs that are reported, and how many false matches have to be expected at one.
REPORTED_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
MIN_FALSE_MATCHES = 10
TOO_FEW = "too few impostor scores"


class OperatingPoint(NamedTuple):
    """A threshold, and the two error rates at it."""

    threshold: float
    fmr: float
    fnmr: float


def supports(impostor: Scores, target: float) -> bool:
    """Tell whether there are impostor scores enough for an FMR: at least ten expected false matches."""
    expected = target * float(tally(impostor, "impostor").counts.sum())
    return expected >= MIN_FALSE_MATCHES * (1 - 1e-12)


def operating_point(authentic: Scores, impostor: Scores, target: float) -> OperatingPoint | None:
    """Find the lowest threshold with an FMR of at most `target`, and the error rates there.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.
        target: the FMR, above 0 and below 1.

    Returns:
        None where there are too few impostor scores (:func:`supports`).

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite. UsageError: no such rate.
    """
    threshold = threshold_at_fmr(impostor, target)
    reached = fnmr(authentic, threshold)
    if not supports(impostor, target):
        return None
    return OperatingPoint(threshold, float(fmr(impostor, threshold)), float(reached))


def fnmr_at_fmr(authentic: Scores, impostor: Scores, target: float) -> float | None:
    """Compute the FNMR at an FMR; see :func:`operating_point`.

    Example:
        >>> fnmr_at_fmr([0.3, 0.6, 0.8, 0.9], [step / 1000 for step in range(500)], 0.02)
        0.25
        >>> fnmr_at_fmr([0.3, 0.6, 0.8, 0.9], [step / 1000 for step in range(499)], 0.02) is None
        True
    """
    point = operating_point(authentic, impostor, target)
    return None if point is None else point.fnmr


def tmr_at_fmr(authentic: Scores, impostor: Scores, target: float) -> float | None:
    """Compute the TMR, 1 - FNMR, at an FMR; see :func:`operating_point`.

    Example:
        >>> tmr_at_fmr([0.3, 0.6, 0.8, 0.9], [step / 1000 for step in range(500)], 0.02)
        0.75
    """
    missed = fnmr_at_fmr(authentic, impostor, target)
    return None if missed is None else 1 - missed
