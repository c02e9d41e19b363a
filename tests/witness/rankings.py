"""Ranks and what is known of them, by NumPy and SciPy alone; nothing of facepart is imported.

Figures of several groups are pooled subject by subject where the groups share some. Rank intervals and possible first
parts follow Mogstad, Romano, Shaikh and Wilhelm (Review of Economic Studies 91, 2024): all comparisons are tested at
once, with the 95 % quantile of their largest as critical value, again and again without those that were rejected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tests.witness.figures import Figure, combined

DRAWS, SEED = 200_000, 7
# By how much a statistic has to miss a critical value, which is known from draws, for the outcome to be sure.
CLEAR = 0.02


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
        found.append(whole)
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
    """The places, in the columns of :func:`laid_out`, of subjects that are in the same groups."""
    patterns: dict[tuple[str, ...], list[int]] = {}
    names = [name for found in linked(groups) for name in subjects_of(found, groups)]
    for place, name in enumerate(names):
        patterns.setdefault(tuple(group for group in groups if name in groups[group]), []).append(place)
    return [np.array(places) for places in patterns.values()]


def subjects_of(names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> NDArray[np.str_]:
    return np.unique(np.concatenate([groups[name] for name in names]))


def rank_sets(values: Sequence[float], influences: NDArray[np.float64], degrees: float) -> RankSets:
    """What ranks the parts may have; refuses draws that leave the outcome open."""
    found = [_rank_sets(np.array(values), influences, degrees, away) for away in (-CLEAR, 0.0, CLEAR)]
    assert found[0] == found[1] == found[2], "a comparison is too close to call: draw another study"
    return found[1]


def _rank_sets(values: NDArray[np.float64], influences: NDArray[np.float64], degrees: float, away: float) -> RankSets:
    count = len(values)
    pairs = list(permutations(range(count), 2))
    if not pairs:
        return RankSets([1], [1], [True])
    directions = np.array([influences[one] - influences[other] for one, other in pairs])
    errors = np.linalg.norm(directions, axis=1)
    assert (errors > 0).all()
    t = np.array([values[one] - values[other] for one, other in pairs]) / errors
    # As surprising as a normal variable that is as rare as Student's t; from the tail, where digits are.
    scores = np.sign(t) * stats.norm.isf(stats.t.sf(np.abs(t), degrees))
    correlation = (directions @ directions.T) / np.outer(errors, errors)
    roots, axes = np.linalg.eigh(correlation)
    factor = axes * np.sqrt(np.maximum(roots, 0))
    drawn = np.random.default_rng(SEED).standard_normal((DRAWS, len(pairs))) @ factor.T

    def critical(chosen: NDArray[np.bool_]) -> float:
        return float(np.quantile(drawn[:, chosen].max(axis=1), 0.95)) + away if chosen.any() else np.inf

    kept = np.ones(len(pairs), bool)
    while (now := kept & (scores > critical(kept))).any():
        kept &= ~now
    larger = [pair for pair, is_kept in zip(pairs, kept, strict=True) if not is_kept]
    low = [1 + sum(other == part for _, other in larger) for part in range(count)]
    high = [count - sum(one == part for one, _ in larger) for part in range(count)]
    possible = set(range(count))
    while True:
        about = np.array([other in possible for _, other in pairs])
        limit = critical(about)
        beaten = {pair[1] for pair, score, is_in in zip(pairs, scores, about, strict=True) if is_in and score > limit}
        if not beaten:
            return RankSets(low, high, [part in possible for part in range(count)])
        possible -= beaten


def first_shares(
    values: Sequence[float], influences: NDArray[np.float64], strata: Sequence[NDArray[np.int64]], draws: int
) -> NDArray[np.float64]:
    """How often each part is first, over subjects drawn with replacement within strata, to first order."""
    rng = np.random.default_rng(SEED)
    wins = np.zeros(len(values))
    for _ in range(draws):
        drawn = np.concatenate([rng.choice(places, len(places)) for places in strata])
        moved = np.array(values) + influences[:, drawn].sum(axis=1) - influences.sum(axis=1)
        wins[moved.argmax()] += 1
    return wins / draws


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p value times the number of tests that are not rejected before it, at most 1."""
    tested = [p for p in p_values if not np.isnan(p)]
    corrected = []
    for p in p_values:
        smaller = sorted(other for other in tested if other <= p)
        steps = [min(1.0, (len(tested) - place) * other) for place, other in enumerate(smaller)]
        corrected.append(max(steps) if steps else np.nan)
    return corrected
