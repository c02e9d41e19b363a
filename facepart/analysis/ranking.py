"""Parts in the order of what they are worth, and how sure that order is.

Parts are ranked by what blurring them does to the mean impostor score: by the shift itself or, where the study has a
control, by how far it goes beyond that of other places of the same size. Over several groups it is the mean of the
groups, each counting alike, however many photos it has.

Two things say how sure a place is. People are drawn anew, with replacement, and the parts ranked again, some thousand
times: how often each comes first. And each part is compared with the next: where the 95 % interval of the difference,
paired by people, holds zero, the two cannot be told apart.
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
    """A part's place: the part that is worth most comes first.

    Attributes:
        part: the part.
        worth: what it is ranked by.
        first: the share of resamplings of people in which it comes first; NaN where there were none.
        lead: by how much it is worth more than the next; unknown for the last.
        resampled_low: where the middle 95 % of what it is worth in these resamplings begin: a check of the interval
            of `worth`, made from the same people in another way.
        resampled_high: where they end.
    """

    part: str
    worth: Interval
    first: float
    lead: Interval
    resampled_low: float = math.nan
    resampled_high: float = math.nan

    @property
    def tied(self) -> bool:
        """Whether it cannot be told apart from the next."""
        return self.lead.low <= 0 <= self.lead.high


class Worth(NamedTuple):
    """What a group's parts are worth, and how that depends on its people.

    Attributes:
        parts: part -> its worth.
        people: how many there are.
        draws: part -> float64, (b,), its worth in resamplings of people.
    """

    parts: Mapping[str, Influence]
    people: int
    draws: Mapping[str, NDArray[np.float64]]


class Lead(NamedTuple):
    """A comparison of two parts of a group: how much more the first is worth."""

    difference: Influence
    people: int


class Agreement(NamedTuple):
    """Whether parts lost in another way rank alike.

    Attributes:
        occlusion: the way.
        group: the group, or ``all``.
        parts: in the order of their shifts.
        tau: Kendall's tau-b between this order's shifts and those of the main way; NaN for fewer than two parts.
        same_first: whether the same part comes first.
    """

    occlusion: str
    group: str
    parts: Sequence[str]
    tau: float
    same_first: bool


def order_parts(worths: Mapping[str, Worth]) -> dict[str, list[str]]:
    """Put the parts of each group into order; of several groups also those of all, which come first.

    Args:
        worths: group -> its parts' worth.

    Returns:
        Group, or ``all``, -> parts, the one worth most first.
    """
    orders = {
        group: sorted(worth.parts, key=lambda part: -worth.parts[part].value) for group, worth in worths.items()
    }
    if len(worths) < 2:
        return orders
    first = next(iter(worths.values()))
    means = {part: math.fsum(worth.parts[part].value for worth in worths.values()) for part in first.parts}
    return {ALL_GROUPS: sorted(means, key=lambda part: -means[part]), **orders}


def rank_parts(worths: Mapping[str, Worth], leads: Mapping[tuple[str, str, str], Lead]) -> dict[str, list[Ranked]]:
    """Rank the parts of each group, and of all groups together where there are several.

    Args:
        worths: group -> its parts' worth.
        leads: (group, part, the part after it in an order of :func:`order_parts`) -> their difference.

    Returns:
        Group, or ``all``, -> its parts, the one worth most first.
    """
    found = {}
    for name, parts in order_parts(worths).items():
        groups = list(worths) if name == ALL_GROUPS and len(worths) > 1 else [name]
        resampled = _resampled([[worths[group].draws[part] for part in parts] for group in groups])
        ranked = []
        for place, part in enumerate(parts):
            after = parts[place + 1] if place + 1 < len(parts) else None
            known = [leads[group, part, after] for group in groups if after and (group, part, after) in leads]
            ranked.append(
                Ranked(
                    part,
                    mean_interval([(worths[group].parts[part], worths[group].people) for group in groups]),
                    resampled.firsts[place],
                    mean_interval([(lead.difference, lead.people) for lead in known]),
                    *resampled.middles[place],
                )
            )
        found[name] = ranked
    return found


class _Resampled(NamedTuple):
    """Of each part, in resamplings: how often it comes first, and the middle 95 % of what it is worth."""

    firsts: Sequence[float]
    middles: Sequence[tuple[float, float]]


def _resampled(draws: Sequence[Sequence[NDArray[np.float64]]]) -> _Resampled:
    """Look at what parts are worth in resamplings of people; NaN where a group has none.

    Args:
        draws: for each group and part, in order, float64 (b,); none for a group that is too small.
    """
    count = len(draws[0])
    if not all(len(part) for group in draws for part in group):
        return _Resampled([math.nan] * count, [(math.nan, math.nan)] * count)
    means = np.mean(draws, axis=0)
    # At a tie, the part that comes first anyway.
    firsts = np.bincount(np.argmax(means, axis=0), minlength=count) / means.shape[1]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return _Resampled(firsts.tolist(), list(zip(low.tolist(), high.tolist(), strict=True)))


def compare_ways(results: Sequence[PartResult], main: str) -> list[Agreement]:
    """Compare how parts rank when they are lost in other ways, by their shifts, with the main way.

    Args:
        results: of all ways.
        main: the main way's name.

    Returns:
        A row for each way and group, and for all groups where there are several; the main way first.
    """
    shifts: dict[str, dict[str, dict[str, list[float]]]] = {}
    groups = list(dict.fromkeys(row.group for row in results))
    for row in results:
        if row.comparison == WITHIN:
            for name in (row.group, ALL_GROUPS) if len(groups) > 1 else (row.group,):
                by_part = shifts.setdefault(row.occlusion, {}).setdefault(name, {})
                by_part.setdefault(row.part, []).append(row.impostor_shift.value)
    found = []
    for occlusion in sorted(shifts, key=lambda name: name != main):
        for group in [ALL_GROUPS] * (len(groups) > 1) + groups:
            means, ours = (
                {part: math.fsum(values) / len(values) for part, values in shifts[way][group].items()}
                for way in (occlusion, main)
            )
            order, first = (sorted(each, key=lambda part: -each[part]) for each in (means, ours))
            tau = kendall_tau([ours[part] for part in means], list(means.values())) if len(means) > 1 else math.nan
            found.append(Agreement(occlusion, group, order, tau, order[0] == first[0]))
    return found
