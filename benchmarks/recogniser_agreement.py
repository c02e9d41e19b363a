"""How often the 95 % intervals of Kendall's tau and W between recognisers hold the truth, where it is known.

Usage: python -m benchmarks.recogniser_agreement [--studies 500] [--resamples 500]

Studies are drawn in which three recognisers see the same subjects; the third agrees with the first in part of the
worlds. What a subject adds to the effects of the parts is normal or lognormal, and correlated between parts and
recognisers. Printed are, in per cent of the studies, except for the lengths:

- tau, W: the interval holds the truth (of the three taus, the mean share);
- all: all taus and W are in their intervals at once (at least 95 by design);
- firsts: the sets of possible firsts contain all true firsts of all recognisers;
- length: the mean length of the interval of tau, whose range is 2;
- bootstrap: the percentile interval of the taus of resampled subjects holds the truth; and its mean length.
"""

import argparse
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from facepart.analysis.choices import SHIFT
from facepart.analysis.influence import Influence
from facepart.analysis.metrics import kendall_tau, kendall_w
from facepart.analysis.ranking import PartEffects
from facepart.analysis.recogniser_agreement import compare_recognisers

_DISTINCT = (6.0, 5.0, 4.0, 3.0, 2.0, 1.0)
_TIED = (4.0, 4.0, 2.0, 2.0, 2.0, 1.0)


@dataclass(frozen=True)
class World:
    """What is drawn.

    Attributes:
        name: for the table.
        truths: the effects of the parts by each recogniser, in units of `gap`.
        gap: the difference of neighbours, in standard errors of an effect.
        subjects: how many there are.
        lognormal: whether what subjects add is skewed.
    """

    name: str
    truths: tuple[tuple[float, ...], ...]
    gap: float
    subjects: int = 60
    lognormal: bool = False


WORLDS = (
    World("distinct, agree", (_DISTINCT, _DISTINCT, _DISTINCT), 6.0),
    World("distinct, one reversed", (_DISTINCT, _DISTINCT, _DISTINCT[::-1]), 6.0),
    World("distinct, partly agree", (_DISTINCT, (5, 6, 4, 2, 3, 1), (2, 3, 6, 5, 1, 4)), 3.0),
    World("almost equal, agree", (_DISTINCT, _DISTINCT, _DISTINCT), 0.3),
    World("almost equal, one reversed", (_DISTINCT, _DISTINCT, _DISTINCT[::-1]), 0.3),
    World("ties, agree", (_TIED, _TIED, _TIED), 4.0),
    World("ties, one reversed", (_TIED, _TIED, _TIED[::-1]), 4.0),
    World("ties in one, few subjects", (_TIED, _DISTINCT, _DISTINCT), 2.0, subjects=15),
    World("ties, skewed subjects", (_TIED, _TIED, _DISTINCT[::-1]), 4.0, lognormal=True),
)


class Rates(NamedTuple):
    """Shares of studies and mean lengths, see the module."""

    tau: float
    w: float
    all: float
    firsts: float
    length: float
    bootstrap: float
    bootstrap_length: float


def simulate(world: World, studies: int, resamples: int) -> Rates:
    """Draw studies, and count in which the intervals hold the truth; the bootstrap is NaN without resamples."""
    rng = np.random.default_rng([7, WORLDS.index(world)])
    truths = world.gap * np.array(world.truths)
    taus = [kendall_tau(one, other) for one, other in combinations(truths, 2)]
    w, count = kendall_w(truths), len(world.truths)
    names = [f"{number}" for number in range(count)]
    firsts = [{f"{part}" for part in np.flatnonzero(each == each.max())} for each in truths]
    counts = np.zeros(len(Rates._fields))
    for _ in range(studies):
        values, influences = _draw(rng, world, truths)
        effects = {name: {"all": _part_effects(values[place], influences[place])} for place, name in enumerate(names)}
        (found,) = compare_recognisers(effects, SHIFT, dict.fromkeys(names, 1.0)).groups
        held = [pair.tau.low <= tau <= pair.tau.high for pair, tau in zip(found.pairs, taus, strict=True)]
        w_held = found.w.low <= w <= found.w.high
        sets = zip(firsts, found.possible_firsts.values(), strict=True)
        boot = (
            _percentile_intervals(rng, values, influences, resamples)
            if resamples
            else np.full((len(taus), 2), np.nan)
        )
        row = [
            np.mean(held),
            w_held,
            all(held) and w_held,
            all(first <= set(possible) for first, possible in sets),
            np.mean([pair.tau.high - pair.tau.low for pair in found.pairs]),
            np.mean((boot[:, 0] <= taus) & (taus <= boot[:, 1])) if resamples else np.nan,
            np.mean(boot[:, 1] - boot[:, 0]),
        ]
        counts += np.array(row, np.float64)
    return Rates(*(counts / studies).tolist())


def _draw(
    rng: np.random.Generator, world: World, truths: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the estimates of a study, (m, k), and the influence of each subject on them, (m, k, p)."""
    count, parts = truths.shape
    own = rng.standard_normal((world.subjects, count, parts))
    shared = rng.standard_normal((world.subjects, 1, 1)) + rng.standard_normal((world.subjects, 1, parts))
    each = (own + shared) / np.sqrt(3)
    if world.lognormal:
        each = (np.exp(each) - np.exp(0.5)) / np.sqrt(np.e * (np.e - 1))
    influences = (each - each.mean(axis=0)) / (world.subjects - 1)
    # In units of the standard error of an effect.
    scale = np.sqrt(world.subjects)
    return truths + scale * each.mean(axis=0), scale * np.moveaxis(influences, 0, -1)


def _part_effects(values: NDArray[np.float64], influences: NDArray[np.float64]) -> PartEffects:
    subjects = influences.shape[1]
    return PartEffects(
        {
            f"{part}": Influence(float(value), found, 0.0, subjects)
            for part, (value, found) in enumerate(zip(values, influences, strict=True))
        },
        [f"{number}" for number in range(subjects)],
    )


def _percentile_intervals(
    rng: np.random.Generator, values: NDArray[np.float64], influences: NDArray[np.float64], resamples: int
) -> NDArray[np.float64]:
    """Return the percentile intervals of tau between every two recognisers, (pairs, 2)."""
    subjects, found = influences.shape[2], []
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, subjects, subjects), minlength=subjects) - 1.0
        effects = values + influences @ drawn
        signs = np.sign(effects[:, :, None] - effects[:, None, :])
        pairs = values.shape[1] * (values.shape[1] - 1)
        found.append([(one * other).sum() / pairs for one, other in combinations(signs, 2)])
    return np.quantile(found, [0.025, 0.975], axis=0).T


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=500)
    args = parser.parse_args()
    print(describe())
    print(f"{'world':28}{'tau':>7}{'W':>7}{'all':>7}{'firsts':>8}{'length':>8}{'bootstrap':>11}{'length':>8}")
    for world in WORLDS:
        found = simulate(world, args.studies, args.resamples)
        shares = "".join(f"{100 * share:7.1f}" for share in found[:3])
        print(
            f"{world.name:28}{shares}{100 * found.firsts:8.1f}{found.length:8.2f}"
            f"{100 * found.bootstrap:11.1f}{found.bootstrap_length:8.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
