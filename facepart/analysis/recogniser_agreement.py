r"""Whether recognisers rely on the same parts: their rankings compared, and one ranking for all of them.

All recognisers see the same photos, so their effects depend on the same subjects.

**Joint ranking.** The effect of a part is the mean over recognisers, equally weighted, and over groups where there
are several. A shift of scores is first divided by the standard deviation of the recogniser's baseline impostor scores
(:func:`impostor_spread`), as in Glass's :math:`\Delta`: otherwise the recogniser whose scores spread most would count
most. The standard deviation is treated as fixed. Influences on all recognisers are added up subject by subject
(:mod:`facepart.analysis.pooling`), and the control places, which recognisers share, are not averaged out
(:func:`facepart.analysis.place_variance.mean_component`).

**Agreement.** Kendall's tau-b between every two recognisers and Kendall's W over all of them
(:mod:`facepart.analysis.metrics.rank_agreement`), over the parts that all of them rank.

**Intervals.** The interval of tau contains the tau of every pair of orders that the study does not rule out. Which
part of each pair of parts has the larger effect is tested for all pairs and all recognisers at once, at 95 %
(:func:`facepart.analysis.rank_sets.significantly_larger`). Of the N pairs of parts, let two recognisers order a
significantly alike and b significantly the other way round. Each of the other pairs may be ordered alike or not, or
be tied. So

.. math:: \frac{2a}{N} - 1 \le \tau_b \le 1 - \frac{2b}{N}

Ties do not widen this: a tie moves tau-b less than one of the two orders does. With :math:`\delta_{ii'}` the vector
of differences between the ranks that recognisers i and i' give to each part, and S the sum of squares of the sums of
ranks about their mean, Kendall's W of m recognisers and n parts is between

.. math:: \frac{12 \min S}{m^2 (n^3 - n)} \quad\text{and}\quad
    1 - \frac{12 \sum_{i < i'} \min |\delta_{ii'}|^2}{m^2 (n^3 - n)}

where the minima are over what the significant pairs leave open. A rank is a sum over pairs of parts (of -1/2, 0 or
1/2 each), so both are least squares within bounds, solved by coordinate descent; that ranks are whole is not used,
which can only widen the interval. The second bound follows from :math:`W = 1 - \sum_{i<i'} |\delta_{ii'}|^2 / (m
\sum_i s_i)`, with :math:`s_i` the sum of squares of the ranks of recogniser i about their mean, at most :math:`(n^3 -
n) / 12`; it holds with ties, too. Where all pairs are significant, both intervals are single values.

This is the projection of a confidence set (H. Scheffé, "The analysis of variance", 1959), here of the set of orders
of Mogstad, Romano, Shaikh and Wilhelm ("Inference for ranks", Review of Economic Studies 91, 2024), so it holds
whatever the true effects are, and for all taus and W of a group at once. The bootstrap does not: a resample is as far
from the estimates as these are from the truth, and noise brings two orders closer to no relation. Where parts have
almost equal effects, the percentile interval of resampled taus lies below a true tau near 1, and ranks are a known
case in which the bootstrap fails (P. Hall, H. Miller, "Using the bootstrap to quantify the authority of an empirical
ranking", Annals of Statistics 37, 2009). ``benchmarks/recogniser_agreement.py`` has the coverage of both.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import AUTHENTIC_CROSS, EQUAL_AREA, IMPORTANCE, SHIFT
from facepart.analysis.design import BASELINE_CONDITION
from facepart.analysis.group_data import GroupData
from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.metrics import kendall_tau, kendall_w
from facepart.analysis.rank_sets import significantly_larger
from facepart.analysis.ranking import MeanEffects, PartEffects, Ranked, mean_effects, rank_mean, tied_ranks
from facepart.analysis.results import ALL_GROUPS
from facepart.errors import FacepartError

# Criteria whose effects are differences of scores, whose unit depends on the recogniser.
IN_SCORES = (IMPORTANCE, SHIFT, EQUAL_AREA, AUTHENTIC_CROSS)
# The least squares within bounds are solved to this relative precision, and intervals rounded to it.
_DECIMALS = 9
_SWEEPS = 10_000


@dataclass(frozen=True)
class PairAgreement:
    """How far two recognisers agree.

    Attributes:
        first: a recogniser.
        second: another.
        tau: Kendall's tau-b between their effects, with its 95 % interval; NaN for fewer than two parts.
        pairs: the number of pairs of parts.
        alike: in how many of them the two significantly agree on which part has the larger effect.
        opposed: in how many they significantly disagree.
        same_first: whether they rank the same part first, of several with equal effects any.
    """

    first: str
    second: str
    tau: Interval
    pairs: int
    alike: int
    opposed: int
    same_first: bool


@dataclass(frozen=True)
class GroupAgreement:
    """How far recognisers agree on a group.

    Attributes:
        group: the group, or ``all``: the mean over the groups.
        parts: the parts that all recognisers rank, in the order of the joint ranking.
        ranks: recogniser -> the rank of each of these parts by its effect, from 1.
        pairs: every two recognisers.
        w: Kendall's W over all recognisers, with its 95 % interval; NaN for fewer than two parts.
        possible_firsts: recogniser -> the parts that may be first, in the order of `parts`; at 95 % for all
            recognisers at once, so there may be more of them than in the ranking by the recogniser alone.
        unknown: the parts without a CI by some recogniser, which nothing rules out.
    """

    group: str
    parts: Sequence[str]
    ranks: Mapping[str, Sequence[int]]
    pairs: Sequence[PairAgreement]
    w: Interval
    possible_firsts: Mapping[str, Sequence[str]]
    unknown: Sequence[str]

    @property
    def firsts(self) -> dict[str, str]:
        """Recogniser -> the part that it ranks first; of several with equal effects, one that is first with all."""
        found = {
            name: [part for part, rank in zip(self.parts, ranks, strict=True) if rank == 1]
            for name, ranks in self.ranks.items()
        }
        with_all = [part for part in self.parts if all(part in firsts for firsts in found.values())]
        return {name: with_all[0] if with_all else firsts[0] for name, firsts in found.items()}

    @property
    def same_first(self) -> str:
        """The part that all recognisers rank first; empty if they differ."""
        firsts = set(self.firsts.values())
        return firsts.pop() if len(firsts) == 1 else ""

    @property
    def common_firsts(self) -> list[str]:
        """The parts that may be first for all recognisers."""
        return [part for part in self.parts if all(part in found for found in self.possible_firsts.values())]

    @property
    def by_first(self) -> dict[str, list[str]]:
        """Part that is ranked first by some recogniser -> these."""
        found: dict[str, list[str]] = {}
        for name, part in self.firsts.items():
            found.setdefault(part, []).append(name)
        return found

    @property
    def other_firsts(self) -> dict[str, list[str]]:
        """Part that may be first by recognisers that rank another part first -> these; of parts with a CI."""
        found: dict[str, list[str]] = {}
        for part in self.parts:
            for name, possible in self.possible_firsts.items():
                if part in possible and part not in self.unknown and part != self.firsts[name]:
                    found.setdefault(part, []).append(name)
        return found

    @property
    def taus(self) -> list[float]:
        """Kendall's tau of every two recognisers as far as it is known, in ascending order."""
        return sorted(round(each.tau.value, 2) for each in self.pairs if math.isfinite(each.tau.value))

    @property
    def certain(self) -> bool:
        """Whether no other part may be first by any recogniser."""
        return bool(self.same_first) and all(len(found) == 1 for found in self.possible_firsts.values())


@dataclass(frozen=True)
class RecogniserAgreement:
    """How far recognisers agree, and their joint ranking.

    Attributes:
        ranked_by: the criterion.
        recognisers: their names.
        spreads: recogniser -> what its effects are divided by in the joint ranking.
        groups: of all groups together first, where there are several; without groups in which recognisers rank no
            part in common.
        joint_ranking: group, or ``all``, -> its parts, the one that matters most first; effects are in standard
            deviations of baseline impostor scores if the criterion is one of differences of scores.
    """

    ranked_by: str
    recognisers: Sequence[str]
    spreads: Mapping[str, float]
    groups: Sequence[GroupAgreement]
    joint_ranking: Mapping[str, Sequence[Ranked]]

    @property
    def in_scores(self) -> bool:
        """Whether effects are differences of scores."""
        return self.ranked_by in IN_SCORES


def impostor_spread(groups: Mapping[str, GroupData]) -> float:
    """Return the standard deviation of a recogniser's baseline impostor scores, within groups.

    Args:
        groups: the groups, by name, with the scores of one recogniser.

    Returns:
        The root of the mean variance of the groups; NaN if no group has scores.
    """
    found = [data.scores(BASELINE_CONDITION) for data in groups.values()]
    variances = [each.scores.impostor.variance for each in found if each is not None]
    return math.sqrt(math.fsum(variances) / len(variances)) if variances else math.nan


def compare_recognisers(
    effects: Mapping[str, Mapping[str, PartEffects]], ranked_by: str, spreads: Mapping[str, float]
) -> RecogniserAgreement:
    """Compare the rankings of recognisers, and rank the parts for all of them together.

    Args:
        effects: recogniser -> group -> the effects of its parts by the criterion; two recognisers or more, of the
            same groups. Subjects of the same name are the same person, whichever recogniser or group they are in.
        ranked_by: the criterion.
        spreads: recogniser -> the standard deviation of its baseline impostor scores (:func:`impostor_spread`);
            used where the criterion is one of differences of scores.

    Raises:
        FacepartError: such a standard deviation is 0.
    """
    units = {name: spreads[name] if ranked_by in IN_SCORES else 1.0 for name in effects}
    for name, unit in units.items():
        if not unit:
            raise FacepartError(
                f"{name}: all baseline impostor scores are equal, so its effects have no scale to compare on"
            )
    scaled = {name: _scaled(found, units[name]) for name, found in effects.items()}
    names = list(next(iter(effects.values())))
    compared, joint = [], {}
    for group in [ALL_GROUPS] * (len(names) > 1) + names:
        chosen = names if group == ALL_GROUPS and len(names) > 1 else [group]
        by_recogniser = {name: {each: found[each] for each in chosen} for name, found in scaled.items()}
        joint[group] = rank_mean(
            {
                f"{name}\n{each}": part_effects
                for name, found in by_recogniser.items()
                for each, part_effects in found.items()
            }
        )
        parts = [each.part for each in joint[group]]
        if parts:
            compared.append(_compare(group, parts, by_recogniser))
    return RecogniserAgreement(ranked_by, list(effects), units, compared, joint)


def _scaled(groups: Mapping[str, PartEffects], unit: float) -> dict[str, PartEffects]:
    return {
        group: found._replace(effects={part: effect.scaled(1 / unit) for part, effect in found.effects.items()})
        for group, found in groups.items()
    }


def _compare(
    group: str, parts: Sequence[str], by_recogniser: Mapping[str, Mapping[str, PartEffects]]
) -> GroupAgreement:
    """Compare the effects of the same parts by recognisers, each the mean over the given groups."""
    means = {name: mean_effects(parts, found) for name, found in by_recogniser.items()}
    larger = dict(zip(means, significantly_larger([each.compared() for each in means.values()]), strict=True))
    pairs = [
        _agreement((first, second), [means[first], means[second]], larger[first], larger[second])
        for first, second in combinations(means, 2)
    ]
    value = kendall_w([each.values for each in means.values()]) if len(parts) > 1 else math.nan
    unknown = ~np.all([each.known for each in means.values()], axis=0)
    return GroupAgreement(
        group=group,
        parts=parts,
        ranks={name: _ranks(each.values) for name, each in means.items()},
        pairs=pairs,
        w=_with_ends(value, w_bounds(np.array(list(larger.values()))), list(means.values())),
        possible_firsts={
            name: [part for part, beaten in zip(parts, found.any(axis=0), strict=True) if not beaten]
            for name, found in larger.items()
        },
        unknown=[part for part, is_unknown in zip(parts, unknown, strict=True) if is_unknown],
    )


def _agreement(
    names: tuple[str, str],
    means: Sequence[MeanEffects],
    larger: NDArray[np.bool_],
    other_larger: NDArray[np.bool_],
) -> PairAgreement:
    parts = len(larger)
    one, other = (each.values for each in means)
    value = kendall_tau(one, other) if parts > 1 else math.nan
    return PairAgreement(
        *names,
        tau=_with_ends(value, tau_bounds(larger, other_larger), means),
        pairs=parts * (parts - 1) // 2,
        alike=int((larger & other_larger).sum()),
        opposed=int((larger & other_larger.T).sum()),
        same_first=any(first == second == 1 for first, second in zip(_ranks(one), _ranks(other), strict=True)),
    )


def _ranks(values: NDArray[np.float64]) -> list[int]:
    """Return the rank of each value, from 1 for the largest; equal values share a rank."""
    ranks, order = np.empty(len(values), np.int64), np.argsort(-values, kind="stable")
    ranks[order] = tied_ranks(values[order].tolist())
    found: list[int] = ranks.tolist()
    return found


def _with_ends(value: float, ends: tuple[float, float], means: Sequence[MeanEffects]) -> Interval:
    """Return a figure with its interval; with none if a recogniser has no part with a CI."""
    intervals = [each for found in means for each in found.intervals]
    effective = min(each.effective for each in intervals)
    if math.isnan(value):
        return UNKNOWN
    if not all(found.known.any() for found in means):
        reason = next(each.no_ci for each in intervals if each.no_ci)
        return UNKNOWN._replace(value=value, effective=effective, no_ci=reason)
    return Interval(value, math.nan, *ends, effective)


def tau_bounds(larger: NDArray[np.bool_], other_larger: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the least and the largest tau-b of two rankings that are known in part.

    Args:
        larger: bool (n, n), n at least 1, whether the item of the row is known to be larger than that of the column.
        other_larger: the same of the other ranking.

    Example:
        >>> first_is_larger = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]], bool)
        >>> tau_bounds(first_is_larger, first_is_larger)
        (0.3333333333333333, 1.0)
    """
    pairs = max(len(larger) * (len(larger) - 1) // 2, 1)
    alike, opposed = int((larger & other_larger).sum()), int((larger & other_larger.T).sum())
    return (2 * alike - pairs) / pairs, (pairs - 2 * opposed) / pairs


def w_bounds(larger: NDArray[np.bool_]) -> tuple[float, float]:
    """Return bounds of Kendall's W of rankings that are known in part.

    Args:
        larger: bool (m, n, n), in each ranking, whether the item of the row is known to be larger than that of the
            column.

    Returns:
        From 0 to 1, rounded outwards in the ninth decimal.
    """
    count, items, _ = larger.shape
    # Of each ordered pair, the sign of the difference, as far as it is known.
    low = np.where(larger, 1.0, -1.0) * ~np.eye(items, dtype=bool)
    high = -low.transpose(0, 2, 1)
    largest = max(count**2 * (items**3 - items) / 12, 1.0)
    least = _least_rank_squares(low.sum(axis=0), high.sum(axis=0)) / largest
    apart = math.fsum(
        _least_rank_squares(low[one] - high[other], high[one] - low[other])
        for one, other in combinations(range(count), 2)
    )
    unit = 10**_DECIMALS
    # What coordinate descent leaves over is far below the last decimal.
    return (
        max(math.floor(least * unit + 0.01) / unit, 0.0),
        min(math.ceil((1 - apart / largest) * unit - 0.01) / unit, 1.0),
    )


def _least_rank_squares(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    r"""Return the least sum of squares of :math:`d_j = \frac12 \sum_k D_{jk}` over antisymmetric D within bounds.

    Args:
        low: float64 (n, n), the lower bounds of D.
        high: the upper ones, minus the transpose of `low`.
    """
    pairs = list(combinations(range(len(low)), 2))
    chosen = {pair: float(np.clip(0.0, low[pair], high[pair])) for pair in pairs}
    bounds = {pair: (float(low[pair]), float(high[pair])) for pair in pairs}
    sums = [0.0] * len(low)
    for (one, other), sign in chosen.items():
        sums[one] += sign
        sums[other] -= sign
    for _ in range(_SWEEPS):
        moved = 0.0
        for pair in pairs:
            one, other = pair
            # The square of the two sums is least where they are equal.
            wanted = chosen[pair] + (sums[other] - sums[one]) / 2
            step = min(max(wanted, bounds[pair][0]), bounds[pair][1]) - chosen[pair]
            chosen[pair] += step
            sums[one] += step
            sums[other] -= step
            moved = max(moved, abs(step))
        if moved < 1e-13:
            break
    return math.fsum(each**2 for each in sums) / 4
