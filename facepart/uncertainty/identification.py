"""How much each subject moves an identification rate, and its interval.

An identification rate is a mean over probes, and probes of one subject are not independent: they are clustered by
subject, as authentic scores are (:mod:`facepart.uncertainty.influence`). The gallery is taken as given: the interval
covers who the probes are, not who else might have been enrolled.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.metrics import identification_rate
from facepart.uncertainty.influence import Influence
from facepart.uncertainty.intervals import Interval, rate_interval


class SubjectRanks(NamedTuple):
    """The ranks of a group's probes, and whose they are.

    Attributes:
        people: of the group, those without a rank among them.
        subjects: int64, (n,), the subject of each probe with a rank, below `people`.
        ranks: int64, (n,), from 1.
    """

    people: int
    subjects: NDArray[np.int64]
    ranks: NDArray[np.int64]

    @property
    def ranked_people(self) -> int:
        """How many subjects have a probe with a rank."""
        return len(np.unique(self.subjects))

    def merged_with(self, other: "SubjectRanks") -> "SubjectRanks":
        """Add the ranks of other probes of the same subjects."""
        subjects, ranks = (np.concatenate(pair) for pair in zip(self[1:], other[1:], strict=True))
        return SubjectRanks(self.people, subjects, ranks)


def identification_rate_of(ranks: SubjectRanks, most: int) -> Influence:
    """Give the share of the probes with a rank of at most `most`.

    Raises:
        FacepartError: there are no ranks.
    """
    rate = identification_rate(ranks.ranks, most)
    probes = np.bincount(ranks.subjects, minlength=ranks.people)
    hits = np.bincount(ranks.subjects, ranks.ranks <= most, minlength=ranks.people)
    # By how much the mean is higher than without each subject.
    people = (hits - rate * probes) / np.maximum(len(ranks.ranks) - probes, 1)
    return Influence(rate, people, 0.0)


def identification_interval(ranks: SubjectRanks, most: int) -> Interval:
    """Give an identification rate with its interval, which is unknown below ten subjects with ranks.

    Raises:
        FacepartError: there are no ranks.
    """
    return rate_interval(identification_rate_of(ranks, most), ranks.ranked_people, ranks.ranked_people)
