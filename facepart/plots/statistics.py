"""What a plot says in numbers, and ``<name>.txt``, where it says it.

The file has a header and then a line a number, its fields parted by tabs::

    set  label     statistic                      value
    1    Original  authentic_n                    102
    1    Original  d_prime                        12.642097749140145
    1    Original  fnmr_at_fmr_1e-06              too few impostor scores
    2    No eyes   impostor_mean_shift_from_set_1  0.0123

Every set has its counts, means, d', EER, AUC, and the FNMR at FMRs of 1e-2 to 1e-6, as far as there are impostor
scores enough; every set after the first has, for authentic and for impostor scores, how far they stand from those of
set 1: Kolmogorov-Smirnov, Wasserstein, d' between the two, and the shift of the mean. Where a set's sums by subject
are known, its metrics have 95 % intervals, ``d_prime_low`` and so on; the AUC has none.
"""

import math
from collections.abc import Sequence

from facepart.analysis.metrics import DISTANCES, KINDS, SCORE_METRICS, TOO_FEW, mean_shift
from facepart.plots.sets import ScoreSet
from facepart.scores import GroupScores

# NaN where there are too few impostor scores.
Statistics = dict[str, float | int]


def set_statistics(scores: ScoreSet) -> Statistics:
    """Return the counts and the metrics of one set."""
    pair = GroupScores(scores.authentic, scores.impostor)
    counts = {"authentic_n": scores.authentic.n, "impostor_n": scores.impostor.n}
    return counts | {metric.name: metric.value(pair) for metric in SCORE_METRICS}


def interval_statistics(scores: ScoreSet) -> Statistics:
    """Return the 95 % CI of the metrics, as far as they are known: none without sums by subject."""
    group = scores.by_subject
    if group is None:
        return {}
    intervals = {metric.name: metric.interval(group) for metric in SCORE_METRICS}
    return {
        f"{name}_{end}": getattr(found, end)
        for name, found in intervals.items()
        for end in ("low", "high")
        if not math.isnan(found.low)
    }


def shift_statistics(first: ScoreSet, other: ScoreSet) -> Statistics:
    """Return the distances between the scores of `other` and of `first`, and the shift from `first`."""
    found: Statistics = {}
    for kind in KINDS:
        before, after = getattr(first, kind), getattr(other, kind)
        for distance in DISTANCES:
            found[f"{kind}_{distance.name}_to_set_1"] = distance.compute(before, after)
        found[f"{kind}_mean_shift_from_set_1"] = mean_shift(before, after)
    return found


def all_statistics(sets: Sequence[ScoreSet]) -> list[Statistics]:
    """Return for each set its statistics, from the second on with those against the first."""
    return [
        set_statistics(entry) | interval_statistics(entry) | (shift_statistics(sets[0], entry) if index else {})
        for index, entry in enumerate(sets)
    ]


def statistics_table(labels: Sequence[str], statistics: Sequence[Statistics]) -> str:
    """Put the statistics of sets, in the order of their labels, into the text of ``<name>.txt``."""
    lines = ["set\tlabel\tstatistic\tvalue"]
    for number, (label, found) in enumerate(zip(labels, statistics, strict=True), 1):
        shown = " ".join(label.split())
        values = ((name, TOO_FEW if math.isnan(value) else repr(value)) for name, value in found.items())
        lines += [f"{number}\t{shown}\t{name}\t{value}" for name, value in values]
    return "\n".join(lines) + "\n"
