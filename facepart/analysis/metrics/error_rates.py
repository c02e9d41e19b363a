r"""FMR and FNMR: how often photos of two subjects match, and how often photos of one subject do not.

A comparison is a match if its score is at or above the threshold t:

.. math:: FMR(t) = P(i \ge t), \qquad FNMR(t) = P(a < t)

for impostor scores i and authentic scores a (ISO/IEC 19795-1:2021, "Biometric performance testing and reporting").
FMR falls and FNMR rises with the threshold; both are constant between two neighbouring scores, so that their values
at the scores give the whole curves.

Influences: a rate is a mean over scores, of 1 for an error and 0 otherwise. The influences here are those at a
threshold that these scores did not set. What pairs of subjects count twice is not taken off: of rare errors, too
little is known about how they come together, and intervals from the smaller variance miss the truth more often.

Few subjects may cause most of the false matches, however many there are. Then the variance of an FMR is known as
badly as one of so few subjects. Its degrees of freedom are the effective number of subjects that make up the
variance, less one:

.. math:: \frac{(\sum_p u_p^2)^2}{\sum_p u_p^4} - 1

A subject's share of the false non-matches is not so uneven, since none can have more than all of its own scores.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.analysis.influence import Influence, SubjectScores, degrees_by_variance, leave_one_out
from facepart.analysis.metrics.tally import Scores, shares_below, shares_from, tally
from facepart.errors import FacepartError, UsageError
from facepart.scores.distribution import STEPS, ScoreDistribution


class ErrorRates(NamedTuple):
    """The curves, (k,) each: thresholds ascending, the last one infinite; FMR falls from 1 to 0, FNMR rises to 1."""

    thresholds: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


def fmr(impostor: Scores, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Compute the false match rate at thresholds.

    Args:
        impostor: a vector of scores, or a distribution.
        thresholds: of any shape.

    Returns:
        float64, of the shape of `thresholds`.

    Raises:
        FacepartError: there are no scores, they are no vector of numbers, or not all are finite; or a threshold is
            no number.

    Example:
        >>> fmr([0.1, 0.2, 0.3, 0.4], [0.25, 0.4]).tolist()
        [0.5, 0.25]
    """
    return shares_from(_checked_thresholds(thresholds), tally(impostor, "impostor"))


def fnmr(authentic: Scores, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Compute the false non-match rate at thresholds; as :func:`fmr`, for authentic scores.

    Example:
        >>> fnmr([0.5, 0.6, 0.7, 0.8], [0.55, 0.8]).tolist()
        [0.25, 0.75]
    """
    return shares_below(_checked_thresholds(thresholds), tally(authentic, "authentic"))


def error_rates(authentic: Scores, impostor: Scores) -> ErrorRates:
    """Compute both curves, at every score that occurs and at a threshold above all scores.

    These are all points of the ROC curve (FMR against 1 - FNMR) and of the DET curve (FMR against FNMR).

    Raises:
        FacepartError: see :func:`fmr`.

    Example:
        >>> rates = error_rates([0.5, 0.75], [0.25, 0.5])
        >>> rates.thresholds.tolist(), rates.fmr.tolist(), rates.fnmr.tolist()
        ([0.25, 0.5, 0.75, inf], [1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 1.0])
    """
    mated, others = tally(authentic, "authentic"), tally(impostor, "impostor")
    thresholds = np.append(np.union1d(mated.values, others.values), math.inf)
    return ErrorRates(thresholds, shares_from(thresholds, others), shares_below(thresholds, mated))


def threshold_at_fmr(impostor: Scores, target: float) -> float:
    """Return the lowest threshold at which the FMR is at most `target`.

    For a distribution it is a multiple of 1e-6, otherwise the next number above a score.

    Args:
        impostor: a vector of scores, or a distribution.
        target: above 0, below 1.

    Raises:
        FacepartError: see :func:`fmr`. UsageError: no such rate.

    Example:
        >>> threshold_at_fmr(ScoreDistribution.of([0.1, 0.2, 0.3, 0.4]), 0.25)
        0.300001
    """
    if not 0 < target < 1:
        raise UsageError(f"an FMR lies between 0 and 1, not at {target}")
    scores = tally(impostor, "impostor")
    # Whole numbers of scores at or above each value, against a bound that rounding of `target` must not lower.
    at_or_above = scores.counts[::-1].cumsum()[::-1]
    allowed = math.floor(target * int(at_or_above[0]) * (1 + 1e-12))
    last_above = int(np.count_nonzero(at_or_above > allowed)) - 1
    if isinstance(impostor, ScoreDistribution):
        return (int(impostor.values[last_above]) + 1) / STEPS
    return math.nextafter(float(scores.values[last_above]), math.inf)


def fmr_influence(group: SubjectScores, threshold: float) -> Influence:
    """Return a group's FMR at a given threshold with its influences.

    Raises:
        FacepartError: there are no scores of this kind.
    """
    scores, sums = group.scores.impostor, group.sums
    rate = float(scores.share_from(threshold))
    deviations = sums.at_or_above("impostor", scores, threshold) - rate * sums.impostor.count
    by_subject = leave_one_out(deviations, scores, sums.impostor)
    # Without a false match, or with nothing else, the variance says nothing: see :mod:`facepart.analysis.wilson`.
    degrees = degrees_by_variance(by_subject)
    return Influence(rate, by_subject, 0.0, group.effective, group.subjects, degrees=degrees)


def fnmr_influence(group: SubjectScores, threshold: float) -> Influence:
    """Return a group's FNMR at a given threshold with its influences; raises as :func:`fmr_influence`."""
    scores, sums = group.scores.authentic, group.sums
    rate = float(scores.share_below(threshold))
    below = sums.authentic.count - sums.at_or_above("authentic", scores, threshold)
    by_subject = leave_one_out(below - rate * sums.authentic.count, scores, sums.authentic)
    return Influence(rate, by_subject, 0.0, group.effective_authentic, group.authentic_subjects)


def _checked_thresholds(thresholds: ArrayLike) -> NDArray[np.float64]:
    try:
        checked = np.asarray(thresholds, np.float64)
    except (TypeError, ValueError) as error:
        raise FacepartError(f"a threshold is a number, not {thresholds!r}") from error
    if np.isnan(checked).any():
        raise FacepartError("a threshold is not a number (NaN)")
    return checked
