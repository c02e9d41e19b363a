r"""The mean score, and the influence of each subject on it.

The mean :math:`\mu` of n scores is a sum over its scores already: a score s has the influence
:math:`(s - \mu) / n`. Of impostor means, :mod:`facepart.analysis.contrasts` knows the variance of a group exactly,
from the embeddings; here the second sum is taken score by score.
"""

import numpy as np

from facepart.analysis.influence import Influence, SubjectScores, leave_one_out
from facepart.analysis.metrics.tally import Scores, mean_and_variance
from facepart.errors import FacepartError


def mean_score(scores: Scores) -> float:
    """Compute the mean score.

    Args:
        scores: a vector of scores, or a distribution.

    Raises:
        FacepartError: there are no scores, they are no vector of numbers, or not all are finite.

    Example:
        >>> mean_score([0.25, 0.5, 0.75])
        0.5
    """
    return mean_and_variance(scores, "scores")[0]


def authentic_mean_influence(group: SubjectScores) -> Influence:
    """Return the mean authentic score with its influences. Raises FacepartError where there are no such scores."""
    scores, sums = group.scores.authentic, group.sums.authentic
    deviations = sums.total - scores.mean * sums.count
    return Influence(
        scores.mean, leave_one_out(deviations, scores, sums), 0.0, group.effective_authentic, group.authentic_subjects
    )


def subject_mean_influence(group: SubjectScores) -> Influence:
    """Return the mean over subjects of their own mean authentic scores: each subject is weighted alike.

    Raises FacepartError where there are no such scores.
    """
    sums = group.sums.authentic
    known = sums.count > 0
    subjects = group.authentic_subjects
    if not subjects:
        raise FacepartError("there are no authentic scores")
    own = sums.total[known] / sums.count[known]
    by_subject = np.zeros(len(known))
    by_subject[known] = (own - own.mean()) / max(subjects - 1, 1)
    return Influence(float(own.mean()), by_subject, 0.0, float(subjects), subjects)


def impostor_mean_influence(group: SubjectScores) -> Influence:
    """Return the mean impostor score with its influences. Raises FacepartError where there are no such scores."""
    scores, sums = group.scores.impostor, group.sums.impostor
    deviations = sums.total - scores.mean * sums.count
    by_subject = leave_one_out(deviations, scores, sums)
    return Influence(scores.mean, by_subject, scores.variance / scores.n, group.effective, group.subjects)
