r"""AUC, the area under the ROC curve: how often an authentic score is above an impostor score.

.. math:: A = P(a > i) + \tfrac{1}{2} P(a = i)

for an authentic and an impostor score drawn at random (Hanley and McNeil, "The meaning and use of the area under a
receiver operating characteristic (ROC) curve", Radiology 143, 1982). It gives all FMRs equal weight, including those
far above any operating point, so that good recognisers differ in its last digits only.
"""

import numpy as np

from facepart.analysis.metrics.tally import Scores, shares_below, shares_up_to, tally


def auc(authentic: Scores, impostor: Scores) -> float:
    """Compute the area under the ROC curve.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.

    Returns:
        From 0 to 1; 0.5 for equal distributions.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> auc([0.5, 0.75], [0.25, 0.5])
        0.875
    """
    mated, others = tally(authentic, "authentic"), tally(impostor, "impostor")
    exceeded = (shares_below(mated.values, others) + shares_up_to(mated.values, others)) / 2
    return float(np.dot(mated.counts, exceeded) / mated.counts.sum())
