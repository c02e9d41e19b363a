r"""Parts ranked by how much they matter, and how certain that order is.

Parts are ranked by their effect by one criterion (:mod:`facepart.analysis.criteria`). Over several groups, the effect
is the mean over the groups, equally weighted, however many photos each has; groups that share subjects are pooled
subject by subject (:mod:`facepart.analysis.pooling`).

Three figures say how certain a rank is. Subjects are resampled with replacement some thousand times and the parts
ranked again: the share of resamples in which a part is ranked first. Each part is compared with the next: where the
95 % CI of the paired difference includes 0, the two are not significantly different. And each part has an interval of
ranks, and is among those that may be first or is not, at 95 % for all parts at once
(:mod:`facepart.analysis.rank_sets`).

An effect is resampled by the influences of the subjects: with subject p drawn :math:`w_p` times, it is
:math:`\hat\theta + \sum_p (w_p - 1) u_p`, the bootstrap to first order. One draw of the subjects serves all parts and
groups; the subjects of groups that share some are drawn together. (Drawn only among those who are in just the same
groups, subjects would vary too little: with six groups there can be 63 such sets, of one or two subjects each.)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import Weight
from facepart.analysis.influence import Influence
from facepart.analysis.intervals import UNKNOWN, Interval, has_interval, mean_interval, subject_degrees
from facepart.analysis.metrics import kendall_tau
from facepart.analysis.place_variance import VarianceComponent, add_components, mean_component
from facepart.analysis.pooling import linked_groups, pooled, subject_places
from facepart.analysis.rank_sets import PairwiseComparisons
from facepart.analysis.results import ALL_GROUPS, WITHIN, PartResult

# How often subjects are resampled, and the seed. With 2,000 resamples, the share in which a part is ranked first is
# known to about 0.02.
RESAMPLES = 2000
SEED = 20231
# Resamples in one matrix product: weights of 13,000 subjects take 26 MB.
_BLOCK = 250


@dataclass(frozen=True)
class Ranked:
    """A part's place in a ranking; the part that matters most is first.

    Attributes:
        part: the part.
        effect: what it is ranked by; larger is ranked higher.
        ranked_first: the share of resamples in which the part is ranked first; NaN where a CI is not known.
        difference_to_next: its effect minus that of the next part; unknown for the last.
        rank_low: the best rank that it may have, from 1, at 95 % for all parts at once.
        rank_high: the worst.
        may_be_first: whether it is in the 95 % set of parts that may be first. A part whose effect has no CI is in
            it, because nothing rules it out; `effect.no_ci` says why it has none.
    """

    part: str
    effect: Interval
    ranked_first: float
    difference_to_next: Interval
    rank_low: int
    rank_high: int
    may_be_first: bool

    @property
    def tied(self) -> bool:
        """Whether it is not significantly different from the next part."""
        return self.difference_to_next.low <= 0 <= self.difference_to_next.high

    @property
    def undecided(self) -> bool:
        """Whether its difference from the next part has no CI."""
        return math.isfinite(self.difference_to_next.value) and math.isnan(self.difference_to_next.low)


class PartEffects(NamedTuple):
    """The effect of each part in a group by one criterion, and how it depends on the group's subjects.

    Attributes:
        effects: part -> its effect; a part without a rank is not in it.
        subjects: names of the subjects, in the order of the influences.
    """

    effects: Mapping[str, Influence]
    subjects: Sequence[str]


class MeanEffects(NamedTuple):
    """The effects of k parts, each the mean over groups.

    Attributes:
        intervals: (k,), the effects with their CIs.
        values: float64 (k,), the same without.
        influences: float64 (k, p), of all subjects of the groups.
        known: bool (k,), whether each has a CI.
        places: (k,), what the choice of control places adds to the variance of each.
        degrees: float64 (k, k), degrees of freedom of the difference of every two; NaN where one has no CI.
    """

    intervals: Sequence[Interval]
    values: NDArray[np.float64]
    influences: NDArray[np.float64]
    known: NDArray[np.bool_]
    places: Sequence[VarianceComponent]
    degrees: NDArray[np.float64]

    def compared(self) -> PairwiseComparisons:
        """Return the comparisons of every two parts; a part without a CI is compared with none."""
        influences = np.where(self.known[:, None], self.influences, math.nan)
        return PairwiseComparisons(
            self.values, influences, self.degrees, np.array([each.variance for each in self.places])
        )


class MethodAgreement(NamedTuple):
    """Whether parts rank alike when they are occluded by another method.

    Attributes:
        occlusion: the method.
        group: the group, or ``all``.
        parts: in the order of their shifts.
        tau: Kendall's tau-b between this order's shifts and those of the main method; NaN for fewer than two parts.
        same_first: whether the same part is ranked first.
    """

    occlusion: str
    group: str
    parts: Sequence[str]
    tau: float
    same_first: bool


def tied_ranks(effects: Sequence[float]) -> list[int]:
    """Return the ranks of effects, from 1; equal effects share a rank.

    Args:
        effects: the largest first. Those that differ in their last bits alone are equal: shares of the same scores.

    Example:
        >>> tied_ranks([0.3, 0.1, 0.1, 0.0])
        [1, 2, 2, 4]
    """
    ranks: list[int] = []
    for place, effect in enumerate(effects):
        equal = place > 0 and math.isclose(effect, effects[place - 1], rel_tol=1e-9, abs_tol=1e-12)
        ranks.append(ranks[-1] if equal else place + 1)
    return ranks


def order_parts(groups: Mapping[str, PartEffects]) -> dict[str, list[str]]:
    """Order the parts of each group; of several groups also those of all, which come first.

    Args:
        groups: group -> the effects of its parts.

    Returns:
        Group, or ``all``, -> parts, the one with the largest effect first; in the order of all groups are the parts
        that have a rank in each of them.
    """
    orders = {
        group: _ordered({part: effect.value for part, effect in found.effects.items()})
        for group, found in groups.items()
    }
    if len(groups) < 2:
        return orders
    sums = {
        part: math.fsum(found.effects[part].value for found in groups.values())
        for part in next(iter(groups.values())).effects
        if all(part in found.effects for found in groups.values())
    }
    return {ALL_GROUPS: _ordered(sums), **orders}


def rank_parts(
    groups: Mapping[str, PartEffects], differences: Mapping[tuple[str, str, str], Influence]
) -> dict[str, list[Ranked]]:
    """Rank the parts of each group, and of all groups together where there are several.

    Args:
        groups: group -> the effects of its parts.
        differences: (group, part, the part after it in an order of :func:`order_parts`) -> how much larger its
            effect is.

    Returns:
        Group, or ``all``, -> its parts, the one with the largest effect first.
    """
    rankings = {}
    for name, parts in order_parts(groups).items():
        chosen = groups if name == ALL_GROUPS and len(groups) > 1 else {name: groups[name]}
        rankings[name] = _rank(parts, chosen, differences) if parts else []
    return rankings


def rank_mean(groups: Mapping[str, PartEffects]) -> list[Ranked]:
    """Rank the parts by the mean over groups; with differences from the influences of the subjects alone.

    Args:
        groups: group -> the effects of its parts; parts that not all groups have are left out.
    """
    orders = order_parts(groups)
    parts = orders[ALL_GROUPS] if len(groups) > 1 else next(iter(orders.values()))
    differences = {
        (group, first, second): found.effects[first].minus(found.effects[second])
        for group, found in groups.items()
        for first, second in pairwise(parts)
    }
    return _rank(parts, groups, differences) if parts else []


def mean_effects(parts: Sequence[str], groups: Mapping[str, PartEffects]) -> MeanEffects:
    """Return the means of the effects of parts over groups, equally weighted.

    Args:
        parts: k parts, at least one; all groups have their effects.
        groups: group -> the effects of its parts.
    """
    subjects = {group: found.subjects for group, found in groups.items()}
    effects = [pooled({group: found.effects[part] for group, found in groups.items()}, subjects) for part in parts]
    intervals = [mean_interval(each) for each in effects]
    known = np.array([all(map(has_interval, found)) for found in effects])
    places = [mean_component([each.places for each in found]) for found in effects]
    degrees = np.full((len(parts), len(parts)), math.nan)
    for one, other in combinations(np.flatnonzero(known), 2):
        differences = [each.minus(its) for each, its in zip(effects[one], effects[other], strict=True)]
        degrees[one, other] = degrees[other, one] = _degrees(differences, [places[one], places[other]])
    return MeanEffects(
        intervals=intervals,
        values=np.array([each.value for each in intervals]),
        # Of groups without common subjects, one after the other.
        influences=np.array([np.concatenate([each.by_subject / len(found) for each in found]) for found in effects]),
        known=known,
        places=places,
        degrees=degrees,
    )


def _rank(
    parts: Sequence[str],
    groups: Mapping[str, PartEffects],
    differences: Mapping[tuple[str, str, str], Influence],
) -> list[Ranked]:
    """Rank parts, given in their order, by the mean over groups."""
    subjects = {group: found.subjects for group, found in groups.items()}
    following = [
        pooled({group: differences[group, first, second] for group in groups}, subjects)
        for first, second in pairwise(parts)
    ]
    means = mean_effects(parts, groups)
    # What the choice of a part's control places adds is one more influence, on that part alone.
    on_parts = np.diag([math.sqrt(each.variance) for each in means.places])
    sets = means.compared().rank_sets()
    shares = [math.nan] * len(parts)
    if means.known.all():
        shares = _first_shares(means.values, means.influences, on_parts, subjects)
    return [
        Ranked(
            part,
            means.intervals[place],
            shares[place],
            mean_interval(following[place]) if place < len(following) else UNKNOWN,
            int(sets.low[place]),
            int(sets.high[place]),
            bool(sets.may_be_first[place]),
        )
        for place, part in enumerate(parts)
    ]


def _degrees(differences: Sequence[Influence], places: Sequence[VarianceComponent]) -> float:
    """Return the degrees of freedom of the mean of differences of two effects.

    Args:
        differences: of independent figures whose mean is that of the groups.
        places: what the choice of control places adds to the variance of each effect.
    """
    of_subjects = subject_degrees(differences)
    squares = (
        math.fsum(float(np.dot(each.by_subject, each.by_subject)) for each in differences) / len(differences) ** 2
    )
    component = add_components([VarianceComponent(squares, of_subjects), *places])
    return min(component.degrees, of_subjects)


def _first_shares(
    values: NDArray[np.float64],
    influences: NDArray[np.float64],
    on_parts: NDArray[np.float64],
    subjects: Mapping[str, Sequence[str]],
) -> list[float]:
    """Return the share of resamples in which each part is ranked first.

    Args:
        values: (k,), the effects, the largest first.
        influences: (k, p), of all subjects, in the order of :func:`pooled` influences.
        on_parts: (k, k), standard errors of what else moves the parts, which is drawn from a normal distribution.
        subjects: group -> names of its subjects.
    """
    sizes = [len(subject_places([subjects[group] for group in linked])) for linked in linked_groups(subjects)]
    of_subjects, of_places = np.random.default_rng(SEED), np.random.default_rng(SEED + 1)
    firsts = np.zeros(len(values))
    for begin in range(0, RESAMPLES, _BLOCK):
        count = min(_BLOCK, RESAMPLES - begin)
        drawn = [of_subjects.multinomial(size, np.full(size, 1 / size), size=count) for size in sizes]
        changes = influences @ (np.concatenate(drawn, axis=1) - 1).T
        changes += on_parts @ of_places.standard_normal((len(values), count))
        # argmax takes the first of equal effects: the part that is ranked higher anyway.
        firsts += np.bincount(np.argmax(values[:, None] + changes, axis=0), minlength=len(values))
    shares: list[float] = (firsts / RESAMPLES).tolist()
    return shares


def compare_methods(results: Sequence[PartResult], main: str, weight: Weight = "pairs") -> list[MethodAgreement]:
    """Compare how parts rank, by their shifts, under each occlusion method and under the main method.

    Args:
        results: of all methods.
        main: name of the main method.
        weight: whether pairs of photos, or pairs of subjects, are equally weighted in mean scores.

    Returns:
        A row for each method and group, and for all groups where there are several; the main method first. Parts that
        were detected on too few photos for a rank are left out.
    """
    groups = list(dict.fromkeys(row.group for row in results))
    shifts: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in results:
        shift = row.weighted("impostor_shift", weight).value
        if row.comparison == WITHIN and math.isfinite(shift) and not row.is_on_few_photos:
            for name in (row.group, ALL_GROUPS) if len(groups) > 1 else (row.group,):
                by_part = shifts.setdefault((row.occlusion, name), {})
                by_part.setdefault(row.part, []).append(shift)
    means = {
        (method, group): {
            part: math.fsum(values) / len(values)
            for part, values in by_part.items()
            # Of all groups together, the parts that each of them has figures of.
            if group != ALL_GROUPS or len(values) == len(groups)
        }
        for (method, group), by_part in shifts.items()
    }
    methods = list(dict.fromkeys([main, *(method for method, _ in shifts)]))
    return [
        _agreement(method, group, means[method, group], means[main, group])
        for method in methods
        for group in [ALL_GROUPS] * (len(groups) > 1) + groups
        if means.get((method, group)) and means.get((main, group))
    ]


def _agreement(
    method: str, group: str, shifts: Mapping[str, float], main_shifts: Mapping[str, float]
) -> MethodAgreement:
    order, both = _ordered(shifts), [part for part in shifts if part in main_shifts]
    tau = math.nan
    if len(both) > 1:
        tau = kendall_tau([main_shifts[part] for part in both], [shifts[part] for part in both])
    return MethodAgreement(method, group, order, tau, order[0] == _ordered(main_shifts)[0])


def _ordered(values: Mapping[str, float]) -> list[str]:
    """Return the parts, largest value first; equal values keep their order."""
    return sorted(values, key=values.__getitem__, reverse=True)
