"""How much each subject moves an identification rate, and its interval.

An identification rate is a mean over probes, and probes of one subject are not independent: they are clustered by
subject, as authentic scores are (:mod:`facepart.analysis.influence`). The gallery is taken as given: the interval
covers who the probes are, not who else might have been enrolled.
"""

import numpy as np

from facepart.analysis.influence import Influence
from facepart.analysis.intervals import Interval, rate_interval
from facepart.analysis.metrics import identification_rate
from facepart.analysis.rate_change import rate_change_interval
from facepart.scores.ranks import SubjectRanks

# Ranks at which a study reports the rate: the first, and the length of a short list of candidates.
REPORTED_RANKS = (1, 10)


def identification_rate_of(ranks: SubjectRanks, most: int) -> Influence:
    """Give the share of the probes with a rank of at most `most`.

    Raises:
        FacepartError: there are no ranks.
    """
    rate = identification_rate(ranks.ranks, most)
    probes = np.bincount(ranks.subjects, minlength=ranks.people)
    hits = np.bincount(ranks.subjects, ranks.ranks <= most, minlength=ranks.people)
    # By how much the mean is higher than without each subject.
    by_subject = (hits - rate * probes) / np.maximum(len(ranks.ranks) - probes, 1)
    return Influence(rate, by_subject, 0.0)


def identification_interval(ranks: SubjectRanks, most: int) -> Interval:
    """Give an identification rate with its interval, which is unknown below ten subjects with ranks.

    Raises:
        FacepartError: there are no ranks.
    """
    return rate_interval(identification_rate_of(ranks, most), ranks.ranked_people, ranks.ranked_people)


def identification_figures(original: SubjectRanks, changed: SubjectRanks) -> dict[str, Interval]:
    """Give the identification rates of two conditions on the same subjects, at ranks 1 and 10, and their change.

    Args:
        original: of the photos as they are.
        changed: of the photos after a change.

    Returns:
        ``rank1_rate`` after the change, ``rank1_rate_baseline`` before it, ``rank1_rate_change``, the first less the
        second; likewise ``rank10_rate`` and so on. Empty where no probe of a condition has a rank.
    """
    conditions = {"_baseline": original, "": changed}
    if not all(len(ranks.ranks) for ranks in conditions.values()):
        return {}
    found = {}
    for most in REPORTED_RANKS:
        for ending, ranks in conditions.items():
            found[f"rank{most}_rate{ending}"] = identification_interval(ranks, most)
        after, before = (identification_rate_of(ranks, most) for ranks in (changed, original))
        people = changed.ranked_people, original.ranked_people
        found[f"rank{most}_rate_change"] = rate_change_interval(after, before, people)
    return found
