r"""FDR, here always the fairness discrepancy rate: how near each other the error rates of groups are.

.. math:: FDR(t) = 1 - (\alpha A + (1 - \alpha) B), \qquad
          A = \max_{i,j} |FMR_i(t) - FMR_j(t)|, \quad B = \max_{i,j} |FNMR_i(t) - FNMR_j(t)|

with the rates of all groups at one threshold t (T. de Freitas Pereira and S. Marcel, "Fairness in Biometrics: a
figure of merit to assess biometric verification systems", arXiv 2011.02395, 2020). It has nothing to do with the
false discovery rate of statistics, which goes by the same three letters.

1: no difference. A is a difference of rates and so never above the largest FMR: at an FMR of 1e-3, FMRs that differ
tenfold move the figure in its third or fourth digit only, and FNMR decides it. So it is read beside the ratios of
:mod:`facepart.analysis.metrics.inequity`, and compared only at the same FMR and with the same alpha.
"""

import numpy as np
from numpy.typing import ArrayLike

from facepart.analysis.metrics.group_rates import checked_pair


def fairness_discrepancy_rate(fmrs: ArrayLike, fnmrs: ArrayLike, alpha: float = 0.5) -> float:
    """Compute the fairness discrepancy rate from the error rates of groups at one threshold.

    Args:
        fmrs: one a group, (n,), n at least 2.
        fnmrs: of the same groups, (n,).
        alpha: the weight of the FMR, from 0 to 1; the FNMR has the rest.

    Returns:
        From 0 to 1, the same rates in all groups.

    Raises:
        FacepartError: there are fewer than two groups, a rate does not lie from 0 to 1, or there are more of one rate
            than of the other. UsageError: no such weight.

    Example:
        >>> fairness_discrepancy_rate([0.0, 0.25], [0.5, 0.25])
        0.75
    """
    ours, theirs = checked_pair(fmrs, fnmrs, alpha)
    return float(1 - (alpha * np.ptp(ours) + (1 - alpha) * np.ptp(theirs)))
