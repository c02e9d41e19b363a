"""The confidence band of a ROC curve: at each FMR, the 95 % interval of the TMR, by subject.

Pointwise, and vertical: at an FMR, the threshold is the one where these impostor scores have it, and the interval
is that of 1 - FNMR there, which allows for the threshold being an estimate, too
(:func:`facepart.analysis.metrics.fnmr_at_fmr_influence`). Subjects are what varies, not scores: two scores that
share a subject are not independent.

The band is where intervals are: at FMRs for which ten false matches are expected, of at least ten subjects, and up to
the FMR where the sums by subject end, of some per cent.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.influence import SubjectScores
from facepart.analysis.intervals import Interval, rate_interval
from facepart.analysis.metrics import OperatingPoint, fnmr_at_fmr_influence, operating_point

# FMRs at which the interval is computed: ten a power of ten, from 0.5 down to 1e-8.
_A_DECADE, _DECADES = 10, 8
FMRS = tuple(float(f"{10 ** (-step / _A_DECADE):.2g}") for step in range(3, _A_DECADE * _DECADES + 1))


class Band(NamedTuple):
    """Where a ROC curve may lie; (k,) each, FMR descending; k is 0 where nothing is known.

    Attributes:
        fmr: the FMRs that were asked for.
        low: TMR, where its interval begins.
        high: and where it ends.
        points: the threshold and the rates at each.
    """

    fmr: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    points: tuple[OperatingPoint, ...]


def tmr_at_fmr_interval(group: SubjectScores, target: float) -> Interval:
    """Return the TMR at an FMR with its interval; see the head of this module.

    Args:
        group: scores of both kinds, with their sums by subject.
        target: the FMR, above 0 and below 1; whether there are impostor scores enough for it is not asked here.
    """
    missed = fnmr_at_fmr_influence(group, target)
    return matched(rate_interval(missed, missed.effective))


def matched(missed: Interval) -> Interval:
    """Turn the interval of an FNMR into that of the TMR, 1 - FNMR."""
    return Interval(1 - missed.value, missed.error, 1 - missed.high, 1 - missed.low, missed.effective)


def roc_band(group: SubjectScores) -> Band:
    """Compute the band of a group's ROC curve.

    Raises:
        FacepartError: there are no scores of a kind.
    """
    fmr, low, high, points = [], [], [], []
    for target in FMRS:
        point = operating_point(*group.scores, target)
        if point is None:
            break  # lower FMRs have still fewer false matches
        found = tmr_at_fmr_interval(group, target)
        if np.isfinite(found.low):
            fmr.append(target)
            low.append(found.low)
            high.append(found.high)
            points.append(point)
    return Band(np.array(fmr), np.array(low), np.array(high), tuple(points))
