r"""AUC, the area under the ROC curve: how often an authentic score is above an impostor score.

.. math:: A = P(a > i) + \tfrac{1}{2} P(a = i)

for an authentic and an impostor score drawn at random (Hanley and McNeil, "The meaning and use of the area under a
receiver operating characteristic (ROC) curve", Radiology 143, 1982). It weighs all FMRs alike, those far above any
that a recogniser is used at included, so that good recognisers differ in its last digits only.
"""

import numpy as np

from facepart.analysis.metrics.tally import Scores, shares_below, shares_up_to, tally


def auc(authentic: Scores, impostor: Scores) -> float:
    """Compute the area under the ROC curve.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.

    Returns:
        From 0 to 1; 0.5 where the two are alike.

    Raises:
        FacepartError: a set is empty, is no vector of numbers, or is not finite.

    Example:
        >>> auc([0.5, 0.75], [0.25, 0.5])
        0.875
    """
    ours, theirs = tally(authentic, "authentic"), tally(impostor, "impostor")
    outdone = (shares_below(ours.values, theirs) + shares_up_to(ours.values, theirs)) / 2
    return float(np.dot(ours.counts, outdone) / ours.counts.sum())
