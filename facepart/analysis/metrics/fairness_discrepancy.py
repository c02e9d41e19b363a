r"""The fairness discrepancy rate: how close the error rates of groups are to each other.

.. math:: FDR(t) = 1 - (\alpha A + (1 - \alpha) B), \qquad
          A = \max_{i,j} |FMR_i(t) - FMR_j(t)|, \quad B = \max_{i,j} |FNMR_i(t) - FNMR_j(t)|

with the rates of all groups at one threshold t (T. de Freitas Pereira and S. Marcel, "Fairness in Biometrics: a
figure of merit to assess biometric verification systems", arXiv 2011.02395, 2020). It is unrelated to the false
discovery rate of statistics, which is abbreviated FDR too.

1: no difference. A is a difference of rates and so at most the largest FMR: at an FMR of 1e-3, FMRs that differ
tenfold change the figure in its third or fourth digit only, and the FNMRs determine it. So read it beside the ratios
of :mod:`facepart.analysis.metrics.inequity`, and compare it only at the same FMR and with the same alpha.
"""

import numpy as np
from numpy.typing import ArrayLike

from facepart.analysis.metrics.group_rates import checked_pair


def fairness_discrepancy_rate(fmrs: ArrayLike, fnmrs: ArrayLike, alpha: float = 0.5) -> float:
    """Compute the fairness discrepancy rate from the error rates of groups at one threshold.

    Args:
        fmrs: (n,), one for each group, n at least 2.
        fnmrs: (n,), of the same groups.
        alpha: the weight of the FMR, from 0 to 1; the weight of the FNMR is the rest.

    Returns:
        From 0 to 1; 1 for the same rates in all groups.

    Raises:
        FacepartError: there are fewer than two groups, a rate is not from 0 to 1, or the numbers of FMRs and of
            FNMRs differ. UsageError: no such weight.

    Example:
        >>> fairness_discrepancy_rate([0.0, 0.25], [0.5, 0.25])
        0.75
    """
    matched, missed = checked_pair(fmrs, fnmrs, alpha)
    return float(1 - (alpha * np.ptp(matched) + (1 - alpha) * np.ptp(missed)))
