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
are known, its d' and its EER have 95 % intervals, ``d_prime_low`` and so on.
"""

import math
from collections.abc import Sequence

import numpy as np

from facepart.analysis.influence import d_prime_influence
from facepart.analysis.influence import eer_influence as eer_influence
from facepart.analysis.intervals import interval, rate_interval
from facepart.analysis.metrics import (
    REPORTED_FMRS,
    TOO_FEW,
    auc,
    d_prime,
    eer_from_rates,
    fnmr_at_fmr,
    kolmogorov_smirnov,
    mean_shift,
    wasserstein,
)
from facepart.plots.sets import ScoreSet

# NaN where there are too few impostor scores.
Statistics = dict[str, float | int]


def set_statistics(scores: ScoreSet) -> Statistics:
    """Give the counts, means, d' and error rates of one set."""
    pair = scores.authentic, scores.impostor
    return {
        "authentic_n": scores.authentic.n,
        "impostor_n": scores.impostor.n,
        "authentic_mean": scores.authentic.mean,
        "impostor_mean": scores.impostor.mean,
        "d_prime": d_prime(*pair),
        "eer": eer_from_rates(scores.rates),
        "auc": auc(*pair),
        **{f"fnmr_at_fmr_{target:.0e}": _known(fnmr_at_fmr(*pair, target)) for target in REPORTED_FMRS},
    }


def interval_statistics(scores: ScoreSet) -> Statistics:
    """Give the intervals of d' and EER, as far as they are known: none without sums by subject."""
    group = scores.by_subject
    if group is None:
        return {}
    people, pairs = (int(np.count_nonzero(kind.count)) for kind in (group.sums.impostor, group.sums.authentic))
    intervals = {
        "d_prime": interval(d_prime_influence(group), people),
        "eer": rate_interval(eer_influence(group), pairs, pairs),
    }
    return {
        f"{name}_{end}": getattr(found, end)
        for name, found in intervals.items()
        for end in ("low", "high")
        if not math.isnan(found.low)
    }


def shift_statistics(first: ScoreSet, other: ScoreSet) -> Statistics:
    """Tell how far the scores of `other` stand from those of `first`, authentic and impostor apart."""
    found: Statistics = {}
    for kind, before, after in (
        ("authentic", first.authentic, other.authentic),
        ("impostor", first.impostor, other.impostor),
    ):
        found[f"{kind}_ks_to_set_1"] = kolmogorov_smirnov(before, after)
        found[f"{kind}_wasserstein_to_set_1"] = wasserstein(before, after)
        found[f"{kind}_d_prime_to_set_1"] = d_prime(before, after)
        found[f"{kind}_mean_shift_from_set_1"] = mean_shift(before, after)
    return found


def all_statistics(sets: Sequence[ScoreSet]) -> list[Statistics]:
    """Give for each set its statistics, from the second on with those against the first."""
    return [
        set_statistics(entry) | interval_statistics(entry) | (shift_statistics(sets[0], entry) if index else {})
        for index, entry in enumerate(sets)
    ]


def statistics_table(sets: Sequence[ScoreSet], statistics: Sequence[Statistics]) -> str:
    """Put the statistics of the sets into the text of ``<name>.txt``."""
    lines = ["set\tlabel\tstatistic\tvalue"]
    for number, (entry, found) in enumerate(zip(sets, statistics, strict=True), 1):
        label = " ".join(entry.label.split())
        told = ((name, TOO_FEW if math.isnan(value) else repr(value)) for name, value in found.items())
        lines += [f"{number}\t{label}\t{name}\t{value}" for name, value in told]
    return "\n".join(lines) + "\n"


def _known(rate: float | None) -> float:
    return math.nan if rate is None else rate
