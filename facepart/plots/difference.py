"""Two distributions of scores compared: by a test that treats scores as independent, and by subject.

The two-sample Kolmogorov-Smirnov test asks whether two samples of independent scores are of one distribution. Scores
that share a subject are not independent: a hundred photos of ten subjects have 4,950 scores, but only the information
of ten subjects. Its statistic describes how far apart the distributions are; its p-value is far too small. What may
be concluded is in the difference of the means, whose interval is by subject; subjects in both groups are paired.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from facepart.analysis.influence import (
    Influence,
    SubjectScores,
    difference_of,
)
from facepart.analysis.intervals import UNKNOWN, Interval, interval
from facepart.analysis.metrics import (
    authentic_mean_influence,
    impostor_mean_influence,
    kolmogorov_smirnov,
    kolmogorov_smirnov_p,
    mean_shift,
)
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.subject_sums import SubjectSums

_NONE = ScoreDistribution(np.empty(0, np.int32), np.empty(0, np.int64))


@dataclass(frozen=True)
class Sample:
    """Scores of one kind, to be compared with others.

    Attributes:
        label: what they are called.
        kind: ``authentic`` or ``impostor``.
        scores: at least one.
        sums: the sums by subject of their group; None where they are not known.
    """

    label: str
    kind: str
    scores: ScoreDistribution
    sums: SubjectSums | None = None


class Difference(NamedTuple):
    """How two samples differ.

    Attributes:
        first: the sample that the other is compared with.
        second: the other.
        statistic: Kolmogorov-Smirnov, from 0 to 1.
        p_value: of the test, which takes scores as independent.
        means: the second mean less the first, with its interval by subject; unknown without sums by subject of both,
            or below ten subjects.
        subjects: how many subjects the two have; 0 without their sums.
        paired: whether some subjects are in both.
    """

    first: Sample
    second: Sample
    statistic: float
    p_value: float
    means: Interval
    subjects: int
    paired: bool


def difference(first: Sample, second: Sample) -> Difference:
    """Compare two samples.

    Raises:
        FacepartError: one has no scores.
    """
    statistic = kolmogorov_smirnov(first.scores, second.scores)
    p_value = kolmogorov_smirnov_p(statistic, first.scores.n, second.scores.n)
    if first.sums is None or second.sums is None:
        means = UNKNOWN._replace(value=mean_shift(first.scores, second.scores))
        return Difference(first, second, statistic, p_value, means, 0, False)
    (ours, names), (theirs, others) = _mean(first, first.sums), _mean(second, second.sums)
    apart, paired = difference_of((theirs, others), (ours, names))
    means = interval(apart)
    return Difference(first, second, statistic, p_value, means, len({*names, *others}), paired)


def difference_rows(found: Sequence[Difference]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the table as a file holds it: a header, then the differences; what is not known is empty."""
    yield (
        *("first", "first_kind", "second", "second_kind", "ks_statistic", "ks_p_value_if_independent"),
        *("mean_difference", "low", "high", "subjects", "paired"),
    )
    for each in found:
        known = not math.isnan(each.means.low)
        yield (
            *(each.first.label, each.first.kind, each.second.label, each.second.kind),
            *(each.statistic, each.p_value, each.means.value),
            *((each.means.low, each.means.high) if known else ("", "")),
            *((each.subjects, str(each.paired).lower()) if each.subjects else ("", "")),
        )


def _mean(sample: Sample, sums: SubjectSums) -> tuple[Influence, list[str]]:
    """Return a sample's mean with what each subject adds to it, and the subjects: those that have such scores."""
    if sample.kind == "impostor":
        found = impostor_mean_influence(SubjectScores(GroupScores(_NONE, sample.scores), sums))
        has = sums.impostor.count > 0
    else:
        found = authentic_mean_influence(SubjectScores(GroupScores(sample.scores, _NONE), sums))
        has = sums.authentic.count > 0
    return found._replace(by_subject=found.by_subject[has]), sums.subjects[has].tolist()
