"""Parts ranked by their effect on the mean impostor score, and how certain that order is.

Parts are ranked by their impostor shift or, where the study has an area-matched control, by their importance: the
shift net of the control's. Over several groups, the effect is the mean over the groups, equally weighted, however
many photos each has.

Two figures say how certain a rank is. Subjects are resampled with replacement some thousand times and the parts
ranked again: the share of resamples in which a part is ranked first. And each part is compared with the next: where
the 95 % CI of the paired difference includes 0, the two are not significantly different.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.influence import Influence
from facepart.analysis.intervals import LEVEL, Interval, mean_interval
from facepart.analysis.metrics import kendall_tau
from facepart.analysis.results import ALL_GROUPS, WITHIN, PartResult

# What parts are ranked by: fields of PartResult.
SHIFT, IMPORTANCE = "impostor_shift", "importance"


@dataclass(frozen=True)
class Ranked:
    """A part's place in a ranking; the part with the largest effect is first.

    Attributes:
        part: the part.
        effect: what it is ranked by.
        ranked_first: the share of resamples in which the part is ranked first; NaN where there are none.
        difference_to_next: its effect minus that of the next part; unknown for the last.
        resampled_low: lower end of the middle 95 % of its effect over the resamples: a check of the CI of `effect`,
            from the same subjects by another method.
        resampled_high: the upper end.
    """

    part: str
    effect: Interval
    ranked_first: float
    difference_to_next: Interval
    resampled_low: float = math.nan
    resampled_high: float = math.nan

    @property
    def tied(self) -> bool:
        """Whether it is not significantly different from the next part."""
        return self.difference_to_next.low <= 0 <= self.difference_to_next.high


class PartEffects(NamedTuple):
    """The effect of each part in a group, and how it depends on the group's subjects.

    Attributes:
        effects: part -> its effect.
        subjects: how many subjects there are.
        resampled: part -> float64, (b,), its effect in resamples of the subjects.
    """

    effects: Mapping[str, Influence]
    subjects: int
    resampled: Mapping[str, NDArray[np.float64]]


class PairwiseDifference(NamedTuple):
    """Two parts of a group compared: the effect of the first minus that of the second."""

    difference: Influence
    subjects: int


class Agreement(NamedTuple):
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


def order_parts(groups: Mapping[str, PartEffects]) -> dict[str, list[str]]:
    """Order the parts of each group; of several groups also those of all, which come first.

    Args:
        groups: group -> the effects of its parts.

    Returns:
        Group, or ``all``, -> parts, the one with the largest effect first.
    """
    orders = {
        group: _ordered({part: effect.value for part, effect in found.effects.items()})
        for group, found in groups.items()
    }
    if len(groups) < 2:
        return orders
    parts = next(iter(groups.values())).effects
    sums = {part: math.fsum(found.effects[part].value for found in groups.values()) for part in parts}
    return {ALL_GROUPS: _ordered(sums), **orders}


def rank_parts(
    groups: Mapping[str, PartEffects], differences: Mapping[tuple[str, str, str], PairwiseDifference]
) -> dict[str, list[Ranked]]:
    """Rank the parts of each group, and of all groups together where there are several.

    Args:
        groups: group -> the effects of its parts.
        differences: (group, part, the part after it in an order of :func:`order_parts`) -> their difference.

    Returns:
        Group, or ``all``, -> its parts, the one with the largest effect first.
    """
    rankings = {}
    for name, parts in order_parts(groups).items():
        names = list(groups) if name == ALL_GROUPS and len(groups) > 1 else [name]
        resampled = _summarise_resamples([[groups[group].resampled[part] for part in parts] for group in names])
        ranked = []
        for place, part in enumerate(parts):
            following = parts[place + 1] if place + 1 < len(parts) else None
            known = [
                differences[group, part, following]
                for group in names
                if following and (group, part, following) in differences
            ]
            ranked.append(
                Ranked(
                    part,
                    mean_interval([groups[group].effects[part] for group in names]),
                    resampled.ranked_first[place],
                    mean_interval([each.difference for each in known]),
                    *resampled.middles[place],
                )
            )
        rankings[name] = ranked
    return rankings


class _Resamples(NamedTuple):
    """Over the resamples, for each part: how often it is ranked first, and the middle 95 % of its effect."""

    ranked_first: Sequence[float]
    middles: Sequence[tuple[float, float]]


def _summarise_resamples(effects: Sequence[Sequence[NDArray[np.float64]]]) -> _Resamples:
    """Summarise the effects over resamples of subjects; NaN where a group has no resamples.

    Args:
        effects: for each group and part, in order, float64 (b,); empty for a group that is too small.
    """
    count = len(effects[0])
    if not all(len(part) for group in effects for part in group):
        return _Resamples([math.nan] * count, [(math.nan, math.nan)] * count)
    means = np.mean(effects, axis=0)
    # argmax takes the first of equal effects: the part that is ranked higher anyway.
    ranked_first = np.bincount(np.argmax(means, axis=0), minlength=count) / means.shape[1]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return _Resamples(ranked_first.tolist(), list(zip(low.tolist(), high.tolist(), strict=True)))


def compare_methods(results: Sequence[PartResult], main: str) -> list[Agreement]:
    """Compare how parts rank, by their shifts, under each occlusion method and under the main method.

    Args:
        results: of all methods.
        main: name of the main method.

    Returns:
        A row for each method and group, and for all groups where there are several; the main method first.
    """
    groups = list(dict.fromkeys(row.group for row in results))
    shifts: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in results:
        if row.comparison == WITHIN:
            for name in (row.group, ALL_GROUPS) if len(groups) > 1 else (row.group,):
                by_part = shifts.setdefault((row.occlusion, name), {})
                by_part.setdefault(row.part, []).append(row.impostor_shift.value)
    means = {
        key: {part: math.fsum(values) / len(values) for part, values in by_part.items()}
        for key, by_part in shifts.items()
    }
    methods = list(dict.fromkeys([main, *(method for method, _ in shifts)]))
    return [
        _agreement(method, group, means[method, group], means[main, group])
        for method in methods
        for group in [ALL_GROUPS] * (len(groups) > 1) + groups
    ]


def _agreement(method: str, group: str, shifts: Mapping[str, float], main_shifts: Mapping[str, float]) -> Agreement:
    order = _ordered(shifts)
    tau = kendall_tau([main_shifts[part] for part in shifts], list(shifts.values())) if len(shifts) > 1 else math.nan
    return Agreement(method, group, order, tau, order[0] == _ordered(main_shifts)[0])


def _ordered(values: Mapping[str, float]) -> list[str]:
    """Return the parts, largest value first; equal values keep their order."""
    return sorted(values, key=values.__getitem__, reverse=True)
