r"""FNMR and TMR at an FMR: the error rates at the threshold that is set for an FMR.

The threshold is the lowest at which the FMR over the impostor scores is at most the target. Such a threshold is only
worth reporting where the scores support it: with fewer than ten expected false matches it is mostly chance, and there
is no figure (the "rule of 30" of Doddington et al., "The NIST speaker recognition evaluation", Speech
Communication 31, 2000, asks for 30 errors to be within 30 % at 90 % confidence; ten are within about 50 %).

Influences: the threshold is an estimate as well. Where the FMR comes out higher by :math:`\epsilon`, the threshold
moves up by :math:`\epsilon / f_i`, and the FNMR by :math:`\epsilon f_a / f_i`, with the densities f of the authentic
and the impostor scores at the threshold. The degrees of freedom are those of the FMR, if these are fewer.
"""

import math
from typing import NamedTuple

import numpy as np

from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.metrics.density import density
from facepart.analysis.metrics.error_rates import fmr, fmr_influence, fnmr, fnmr_influence, threshold_at_fmr
from facepart.analysis.metrics.tally import Scores, tally
from facepart.scores import ScoreDistribution

# The FMRs that `plot` reports, and those of a study.
REPORTED_FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
STUDY_FMRS = (1e-3, 1e-4)
# The least number of expected false matches for which an FMR is reported.
MIN_FALSE_MATCHES = 10
TOO_FEW = "too few impostor scores"


class OperatingPoint(NamedTuple):
    """A threshold, and the two error rates at it."""

    threshold: float
    fmr: float
    fnmr: float


def fmr_suffix(target: float) -> str:
    """Return the end of the name of a column for an FMR, a power of ten.

    Example:
        >>> fmr_suffix(1e-3)
        '1e3'
    """
    return f"1e{-round(math.log10(target))}"


def supports(impostor: Scores, target: float) -> bool:
    """Return whether there are enough impostor scores for an FMR: at least ten expected false matches.

    Example:
        >>> supports([], 0.001), supports([0.1] * 100, 0.1)
        (False, True)
    """
    if (impostor.n if isinstance(impostor, ScoreDistribution) else np.size(impostor)) == 0:
        return False
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


def fnmr_at_fmr_influence(group: SubjectScores, target: float) -> Influence:
    """Return a group's FNMR at an FMR with its influences; see the module.

    It does not check whether there are enough impostor scores for the FMR: see :func:`supports`.

    Raises:
        FacepartError: there are no scores of a kind. UsageError: no such rate.
    """
    threshold = threshold_at_fmr(group.scores.impostor, target)
    missed, matched = fnmr_influence(group, threshold), fmr_influence(group, threshold)
    authentic, impostor = density(group.scores.authentic, threshold), density(group.scores.impostor, threshold)
    ratio = authentic / impostor if impostor else 0.0
    by_subject = missed.by_subject + ratio * matched.by_subject
    return missed._replace(
        by_subject=by_subject,
        effective=min(missed.effective, matched.effective),
        subjects=max(missed.subjects, matched.subjects),
        degrees=min(missed.degrees, matched.degrees),
    )


def tmr_at_fmr(authentic: Scores, impostor: Scores, target: float) -> float | None:
    """Compute the TMR, 1 - FNMR, at an FMR; see :func:`operating_point`.

    Example:
        >>> tmr_at_fmr([0.3, 0.6, 0.8, 0.9], [step / 1000 for step in range(500)], 0.02)
        0.75
    """
    missed = fnmr_at_fmr(authentic, impostor, target)
    return None if missed is None else 1 - missed
