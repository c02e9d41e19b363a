r"""Identification rates: how often a probe's subject is among the N most similar photos of the gallery; the CMC.

.. math:: R(N) = \frac{1}{n} \, |\{i : r_i \le N\}|

for the ranks r of n probes, each of whom has photos of the same subject in the gallery: closed-set identification.
The rank-1 rate is how often the most similar photo of the gallery shows the same subject; R over N is the cumulative
match characteristic, CMC (ISO/IEC 19795-1:2021, "Biometric performance testing and reporting"; P. J. Phillips, H.
Moon, S. A. Rizvi, P. J. Rauss, "The FERET evaluation methodology for face-recognition algorithms", IEEE Transactions
on Pattern Analysis and Machine Intelligence 22, 2000).

The rank of a probe is 1 plus the number of its impostor scores that are strictly greater than the best of its
authentic scores: the most similar of the subject's photos in the gallery counts, equal scores do not worsen a rank,
and the places before it are photos, not subjects. A rate depends on the size of the gallery, since more impostors
allow a higher best score; compare only rates on galleries of one size.

Influences: a rate is a mean over probes. Probes of one subject are not independent: they are clustered by subject, as
authentic scores are. The gallery is treated as fixed: the interval covers which subjects the probes show, not which
others might have been enrolled.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.analysis.influence import Influence, effective_subjects
from facepart.analysis.intervals import Interval, rate_interval
from facepart.errors import FacepartError, UsageError
from facepart.scores.ranks import SubjectRanks

# Ranks at which a study reports the rate: the first, and the length of a short list of candidates.
REPORTED_RANKS = (1, 10)


def identification_rate(ranks: ArrayLike, most: int = 1) -> float:
    """Compute the share of the probes with a rank of at most `most`.

    Args:
        ranks: of the probes, whole numbers from 1, (n,), n at least 1; probes without a rank do not take part.
        most: the highest rank that counts, at least 1.

    Returns:
        From 0 to 1.

    Raises:
        FacepartError: there are no ranks, they are no vector of whole numbers, or one is below 1. UsageError: `most`
            is below 1.

    Example:
        >>> identification_rate([1, 3, 1, 2]), identification_rate([1, 3, 1, 2], most=2)
        (0.5, 0.75)
    """
    return float(cmc(ranks, most)[-1])


def cmc(ranks: ArrayLike, most: int) -> NDArray[np.float64]:
    """Compute the cumulative match characteristic: the identification rates at ranks 1 to `most`.

    The arguments, and what is raised, are those of :func:`identification_rate`.

    Returns:
        float64, (most,), never falling.

    Example:
        >>> cmc([1, 3, 1, 2], most=4).tolist()
        [0.5, 0.75, 1.0, 1.0]
    """
    if most < 1:
        raise UsageError(f"ranks begin with 1: there is no rate at rank {most}")
    vector = np.asarray(ranks)
    if not vector.size:
        raise FacepartError("there are no ranks: no probe has an authentic and an impostor score")
    if vector.ndim != 1 or vector.dtype.kind not in "iu":
        raise FacepartError(f"ranks are a vector of whole numbers, not {vector.dtype} of shape {vector.shape}")
    if vector.min() < 1:
        raise FacepartError(f"a rank is at least 1, not {vector.min()}")
    counts = np.bincount(vector[vector <= most], minlength=most + 1)[1:]
    return np.cumsum(counts) / len(vector)


def identification_influence(ranks: SubjectRanks, most: int) -> Influence:
    """Return the identification rate of a group's probes with the influence of each subject; see the module.

    Raises:
        FacepartError: there are no ranks. UsageError: `most` is below 1.
    """
    rate = identification_rate(ranks.ranks, most)
    probes = np.bincount(ranks.subjects, minlength=ranks.subject_count)
    hits = np.bincount(ranks.subjects, ranks.ranks <= most, minlength=ranks.subject_count)
    by_subject = (hits - rate * probes) / np.maximum(len(ranks.ranks) - probes, 1)
    return Influence(rate, by_subject, 0.0, effective_subjects(probes), ranks.ranked_subjects)


def identification_interval(ranks: SubjectRanks, most: int) -> Interval:
    """Return an identification rate with its CI, which is unknown below ten effective subjects with ranks.

    Raises:
        FacepartError: there are no ranks. UsageError: `most` is below 1.
    """
    found = identification_influence(ranks, most)
    return rate_interval(found, found.effective)
