r"""EER, the equal error rate: the rate at the threshold where FMR and FNMR are equal.

With finitely many scores, FMR and FNMR need not be equal at any threshold; the EER is taken where the straight lines
between neighbouring points of the DET curve cross its diagonal, as is usual for ROC curves (ISO/IEC 19795-1 leaves
the interpolation open).

Influences: where the FMR comes out higher by :math:`\epsilon`, the threshold of equal rates moves up by
:math:`\epsilon / (f_a + f_i)`, with the densities f of the authentic and the impostor scores there. So the EER moves
by the mean of the two rates, each weighted by the density of the other kind's scores.
"""

import numpy as np

from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.metrics.density import density
from facepart.analysis.metrics.error_rates import ErrorRates, error_rates, fmr_influence, fnmr_influence
from facepart.analysis.metrics.tally import Scores
from facepart.scores import ScoreDistribution


def eer(authentic: Scores, impostor: Scores) -> float:
    """Compute the equal error rate.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.

    Returns:
        From 0 to 1; above 0.5 where most impostor scores are above the authentic scores.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> eer([0.4, 0.6, 0.8, 0.9], [0.1, 0.2, 0.3, 0.5])
        0.25
    """
    return eer_from_rates(error_rates(authentic, impostor))


def eer_from_rates(rates: ErrorRates) -> float:
    """Compute the equal error rate from all points of the curves."""
    excess = rates.fnmr - rates.fmr  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    if excess[after] == 0:
        return float(rates.fmr[after])
    before = after - 1
    way = -excess[before] / (excess[after] - excess[before])
    return float(rates.fmr[before] + way * (rates.fmr[after] - rates.fmr[before]))


def eer_influence(group: SubjectScores) -> Influence:
    """Return a group's EER with its influences; see the module.

    Raises:
        FacepartError: there are no scores of a kind.
    """
    authentic, impostor = group.scores
    threshold = _equal_threshold(authentic, impostor)
    missed, matched = fnmr_influence(group, threshold), fmr_influence(group, threshold)
    densities = density(authentic, threshold), density(impostor, threshold)
    share = densities[0] / sum(densities) if sum(densities) else 0.5
    by_subject = share * matched.by_subject + (1 - share) * missed.by_subject
    effective = min(missed.effective, matched.effective)
    return Influence(eer(authentic, impostor), by_subject, 0.0, effective, group.subjects)


def _equal_threshold(authentic: ScoreDistribution, impostor: ScoreDistribution) -> float:
    """Return the lowest score at which the FNMR is at least the FMR."""
    values = np.union1d(authentic.scores, impostor.scores)
    excess = authentic.share_below(values) - impostor.share_from(values)
    return float(values[min(int(np.searchsorted(excess >= 0, True)), len(values) - 1)])
