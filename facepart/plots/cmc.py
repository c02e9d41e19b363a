"""Identification rates as a curve over ranks: the CMC, of a few sets in one figure.

Reads the ranks of probes (:mod:`facepart.scores.ranks`). Intervals are by subject
(:mod:`facepart.analysis.metrics.identification`) and left out where the subjects are not known, or fewer than ten.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from facepart.analysis.intervals import UNKNOWN, Interval, rate_change_interval
from facepart.analysis.metrics import cmc, identification_influence, identification_interval
from facepart.errors import FacepartError
from facepart.plots import palette, style
from facepart.plots.frame import add_legend, make_axes
from facepart.plots.statistics import Statistics
from facepart.scores.ranks import Ranks, SubjectRanks, ranks_by_subject

# Ranks that are shown unless others are asked for.
DEFAULT_RANKS = 20
# A curve near 1 everywhere is shown with this much of the axis at least.
_LEAST_ROOM = 0.02
# With so few ranks each is marked.
_MARKED = 20
# So many labelled ranks at most, beside the first.
_TICKS = 6


@dataclass(frozen=True)
class RankSet:
    """The ranks of one experiment.

    Attributes:
        label: what a legend calls it.
        ranks: of its probes; at least one has a rank.
    """

    label: str
    ranks: Ranks

    def __post_init__(self) -> None:
        if not self.ranks.ranked.any():
            raise FacepartError(f"{self.label}: no probe has a rank: none has an authentic and an impostor score")

    @property
    def values(self) -> NDArray[np.int64]:
        """The ranks of the probes that have one, int64, (n,)."""
        return self.ranks.ranks[self.ranks.ranked]

    @cached_property
    def subjects(self) -> frozenset[str]:
        """The subjects of the probes that have a rank; none where that is not known."""
        return frozenset(np.array(self.ranks.subjects)[self.ranks.ranked]) if self.ranks.subjects else frozenset()

    def by_subject(self, names: Sequence[str]) -> SubjectRanks:
        """Return the ranks by subject, these numbered by their places among sorted `names`."""
        return ranks_by_subject(self.ranks, np.array(names, np.str_))

    def interval(self, most: int) -> Interval:
        """Return the identification rate at a rank, with its interval if the subjects are known."""
        if not self.subjects:
            return UNKNOWN._replace(value=float(cmc(self.values, most)[-1]))
        return identification_interval(self.by_subject(sorted(self.subjects)), most)


def cmc_curves(sets: Sequence[RankSet], ranks: int = DEFAULT_RANKS, title: str | None = None) -> Figure:
    """Draw CMC curves: the share of the probes with a rank of at most N, against N.

    Args:
        sets: one for each colour at most.
        ranks: the highest N.
        title: stands on top.

    Raises:
        FacepartError: there are no sets, or more than colours.
    """
    if not 1 <= len(sets) <= len(palette.SET_COLOURS):
        raise FacepartError(f"a figure shows 1 to {len(palette.SET_COLOURS)} sets of ranks, not {len(sets)}")
    with style.house_style():
        figure, axes = make_axes()
        rates = [cmc(entry.values, ranks) for entry in sets]
        for values, colour in zip(rates, palette.SET_COLOURS, strict=False):
            mark = "o" if ranks <= _MARKED else None
            axes.plot(
                np.arange(1, ranks + 1), values, color=colour, linewidth=palette.LINE_WIDTH, marker=mark, markersize=3
            )
        room = max(1 - min(float(values[0]) for values in rates), _LEAST_ROOM)
        axes.set_ylim(1 - 1.05 * room, 1 + 0.03 * room)
        margin = 0.02 * max(ranks - 1, 1)
        axes.set_xlim(1 - margin, ranks + margin)
        axes.set_xticks(_ticks(ranks))
        axes.yaxis.set_major_formatter(FuncFormatter(_in_percent))
        axes.set_xlabel("Rank")
        axes.set_ylabel("Identification Rate (%)")
        axes.grid(which="major", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        firsts = [f"rank-1\u00a0rate\u00a0=\u00a0{values[0]:.2%}" for values in rates]
        add_legend(axes, [f"{each.label}: {first}" for each, first in zip(sets, firsts, strict=True)], title, {})
    return figure


def cmc_table(sets: Sequence[RankSet], ranks: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the figure's table: a header, and a row for each set and rank."""
    yield "set", "label", "rank", "identification_rate", "low", "high"
    for number, entry in enumerate(sets, 1):
        for most in range(1, ranks + 1):
            rate = entry.interval(most)
            ends = ("", "") if math.isnan(rate.low) else (rate.low, rate.high)
            yield number, entry.label, most, rate.value, *ends


def rank_statistics(sets: Sequence[RankSet], ranks: int) -> list[Statistics]:
    """Return the counts of each set, its rates at rank 1 and the last rank, and their change from the first set.

    What is not known is left out.
    """
    found: list[Statistics] = []
    for index, entry in enumerate(sets):
        numbers: Statistics = {
            "probes": len(entry.ranks.ranks),
            "probes_with_rank": len(entry.values),
            **({"subjects_with_rank": len(entry.subjects)} if entry.subjects else {}),
        }
        for most in dict.fromkeys((1, ranks)):
            numbers |= _told(f"rank{most}_rate", entry.interval(most))
            if index:
                numbers |= _told(f"rank{most}_rate_change_from_set_1", _change(sets[0], entry, most))
        found.append(numbers)
    return found


def _ticks(ranks: int) -> list[int]:
    """Choose which ranks are labelled: the first, and a few round ones."""
    power = 10 ** max(len(str(ranks)) - 2, 0)
    step = next(step for step in (power * each for each in (1, 2, 5, 10, 20, 50, 100)) if ranks <= _TICKS * step)
    return [1, *range(step if step > 1 else 2, ranks + 1, step)]


def _in_percent(rate: float, _: int | None) -> str:
    return f"{100 * rate:g}"


def _change(first: RankSet, other: RankSet, most: int) -> Interval:
    """Return the change of a rate from one set to another, paired by the subjects that both have."""
    if not first.subjects or not other.subjects:
        values = [float(cmc(each.values, most)[-1]) for each in (first, other)]
        return UNKNOWN._replace(value=values[1] - values[0])
    names = sorted(first.subjects | other.subjects)
    before, after = (identification_influence(each.by_subject(names), most) for each in (first, other))
    return rate_change_interval(after, before)


def _told(name: str, found: Interval) -> Statistics:
    if math.isnan(found.low):
        return {name: found.value}
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
