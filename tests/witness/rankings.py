"""Ranks and what is known of them, by NumPy and SciPy alone; nothing of facepart is imported.

Figures of several groups are pooled subject by subject where the groups share some. Rank intervals and possible first
parts follow from tests of all ordered pairs of parts (Mogstad, Romano, Shaikh and Wilhelm, Review of Economic Studies
91, 2024), by Holm's steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tests.witness.figures import Figure, Spread, added, combined, mean_of_places

SEED = 7


def linked(groups: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Part groups into sets without a common subject."""
    sets: list[list[str]] = []
    for name, subjects in groups.items():
        touched = [each for each in sets if any(set(subjects) & set(groups[other]) for other in each)]
        sets = [each for each in sets if each not in touched] + [
            [*(other for each in touched for other in each), name]
        ]
    return sets


def pooled(figures: Mapping[str, Figure], groups: Mapping[str, Sequence[str]]) -> list[Figure]:
    """Independent figures, whose mean is that of the groups' figures; `groups` tells their subjects.

    Of groups that share subjects nothing is taken to be counted twice.
    """
    sets = linked({name: groups[name] for name in figures})
    found = []
    for names in sets:
        whole = combined([(len(sets) / len(figures), figures[name]) for name in names], exact=False)
        if len(names) == 1:
            once = (len(sets) / len(figures)) ** 2 * figures[names[0]].double_counted
            whole = replace(whole, double_counted=once)
        # All groups share the places of controls.
        places = mean_of_places([figures[name].places for name in names])
        share = len(names) * len(sets) / len(figures)
        found.append(replace(whole, places=Spread(share**2 * places.variance, places.degrees)))
    return found


class RankSets(NamedTuple):
    low: list[int]
    high: list[int]
    may_be_first: list[bool]


def laid_out(parts: Sequence[Sequence[Figure]], subjects: Sequence[NDArray[np.str_]]) -> NDArray[np.float64]:
    """The influence of every subject on the mean figure of each part, (k, p).

    Args:
        parts: of each part, its pooled figures.
        subjects: of each set of groups, the subjects, sorted.
    """
    rows = []
    for figures, names in zip(zip(*parts, strict=True), subjects, strict=True):
        laid = np.zeros((len(parts), len(names)))
        for row, figure in zip(laid, figures, strict=True):
            row[np.searchsorted(names, figure.names)] = figure.influence / len(subjects)
        rows.append(laid)
    return np.concatenate(rows, axis=1)


def strata_of(groups: Mapping[str, Sequence[str]]) -> list[NDArray[np.int64]]:
    """The places, in the columns of :func:`laid_out`, of the subjects of each set of groups that share some."""
    ends = np.cumsum([len(subjects_of(found, groups)) for found in linked(groups)])
    return np.split(np.arange(ends[-1]), ends[:-1])


def subjects_of(names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> NDArray[np.str_]:
    return np.unique(np.concatenate([groups[name] for name in names]))


def rank_sets(
    values: Sequence[float],
    influences: NDArray[np.float64],
    places: Sequence[Spread],
    degrees: Mapping[tuple[int, int], float],
) -> RankSets:
    """What ranks the parts may have, from the p value of each ordered pair: that one part is not larger than another.

    Tests are repeated without what was rejected before, at 5 % over the number of tests that are left (Holm 1979).

    Args:
        values: (k,), of the parts.
        influences: (k, p), of subjects.
        places: (k,), what the choice of control places adds.
        degrees: of each two parts, the degrees of freedom of what the influences on their difference give.
    """
    count = len(values)
    p_values = {}
    for one, other in permutations(range(count), 2):
        most = degrees[min(one, other), max(one, other)]
        subjects = Spread(float(((influences[one] - influences[other]) ** 2).sum()), most)
        whole = added(subjects, places[one], places[other])
        t = without_skew(
            (values[one] - values[other]) / whole.variance**0.5, influences[one] - influences[other], whole
        )
        p_values[one, other] = float(stats.t.sf(t, min(whole.degrees, most)))
    left = dict(p_values)
    while rejected := [pair for pair, p in left.items() if p < 0.05 / len(left)]:
        left = {pair: p for pair, p in left.items() if pair not in rejected}
    larger = [pair for pair in p_values if pair not in left]
    possible = set(range(count))
    while True:
        about = {pair: p for pair, p in p_values.items() if pair[1] in possible}
        beaten = {pair[1] for pair, p in about.items() if p < 0.05 / len(about)}
        if not beaten:
            break
        possible -= beaten
    return RankSets(
        low=[1 + sum(other == part for _, other in larger) for part in range(count)],
        high=[count - sum(one == part for one, _ in larger) for part in range(count)],
        may_be_first=[part in possible for part in range(count)],
    )


def without_skew(t: float, influence: NDArray[np.float64], whole: Spread) -> float:
    """The smaller of t and Hall's transformation of it, with the skewness of a sample (G1) of subjects.

    What places add is in the variance, but has no skewness.
    """
    number = np.count_nonzero(influence)
    third = float((influence**3).sum()) / whole.variance**1.5
    g = third * number**2 / ((number - 1) * (number - 2))
    return min(t, ((1 + g * t / 3) ** 3 - 1) / g + g / 6 if g else t)


def first_shares(
    values: Sequence[float],
    influences: NDArray[np.float64],
    places: Sequence[Spread],
    strata: Sequence[NDArray[np.int64]],
    draws: int,
) -> NDArray[np.float64]:
    """How often each part is first, over subjects drawn with replacement within strata, to first order.

    What places add is drawn from normal distributions.
    """
    rng = np.random.default_rng(SEED)
    errors = np.array([each.variance**0.5 for each in places])[:, None]
    moved = (np.array(values) - influences.sum(axis=1))[:, None] + errors * rng.standard_normal((len(values), draws))
    for stratum in strata:
        drawn = stratum[rng.integers(len(stratum), size=(draws, len(stratum)))]
        moved += influences[:, drawn].sum(axis=2)
    return np.bincount(moved.argmax(axis=0), minlength=len(values)) / draws


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p value times the number of tests that are not rejected before it, at most 1."""
    tested = [p for p in p_values if not np.isnan(p)]
    corrected = []
    for p in p_values:
        smaller = sorted(other for other in tested if other <= p)
        steps = [min(1.0, (len(tested) - place) * other) for place, other in enumerate(smaller)]
        corrected.append(max(steps) if steps else np.nan)
    return corrected
