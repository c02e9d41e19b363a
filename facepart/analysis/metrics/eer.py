"""EER, the equal error rate: where a recogniser errs as often in taking two people for one as one for two.

Scores are finitely many, so that FMR and FNMR need not be equal at any threshold; the EER is taken where the straight
lines between neighbouring points of the DET curve cross its diagonal, as is usual for ROC curves (ISO/IEC 19795-1
leaves the interpolation open).
"""

import numpy as np

from facepart.analysis.metrics.error_rates import ErrorRates, error_rates
from facepart.analysis.metrics.tally import Scores


def eer(authentic: Scores, impostor: Scores) -> float:
    """Compute the equal error rate.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.

    Returns:
        From 0 to 1; above 0.5 where impostor scores are mostly above authentic ones.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> eer([0.4, 0.6, 0.8, 0.9], [0.1, 0.2, 0.3, 0.5])
        0.25
    """
    return eer_from_rates(error_rates(authentic, impostor))


def eer_from_rates(rates: ErrorRates) -> float:
    """Compute the equal error rate from curves that are known already, all of their points."""
    excess = rates.fnmr - rates.fmr  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    if excess[after] == 0:
        return float(rates.fmr[after])
    before = after - 1
    way = -excess[before] / (excess[after] - excess[before])
    return float(rates.fmr[before] + way * (rates.fmr[after] - rates.fmr[before]))
