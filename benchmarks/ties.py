"""How often the 95 % set of possible firsts leaves out a part that is truly first, and rank intervals a true rank.

Usage: python -m benchmarks.ties [--studies 2000] [--world NAME ...]

Studies are drawn in which two, three or seven parts have exactly the same effect, so that all of them are first. In
half of the settings there are only these parts; in the others, seven, and the rest have less effect, by one standard
error. Subjects differ in the ways of the worlds below. Each row counts, in per cent of the studies:

- excluded: any part that is truly first is not in the set (at most 5 by design; the standard error of each figure is
  printed at the end);
- of one: the same for one tied part, the mean over them;
- ranks: a rank interval does not contain all ranks that its part shares with its ties;
- leader: what comparing each part with the leader by a 95 % CI of their paired difference excludes, of one part;
- over 95 %: a part is ranked first in more than 95 % of bootstrap resamples though others are equal;
- size: the mean number of parts in the set.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from facepart.analysis.contrasts import contrast, pair_sums
from facepart.analysis.rank_sets import PairwiseComparisons
from facepart.analysis.student_t import upper_quantile

PARTS = 7
RESAMPLES = 500


class Study(NamedTuple):
    """What is estimated in a study of k parts.

    Attributes:
        values: float64 (k,), all of which estimate 0.
        influences: float64 (k, p), scaled so that the sum of squares of a difference is its variance.
        degrees: degrees of freedom.
    """

    values: NDArray[np.float64]
    influences: NDArray[np.float64]
    degrees: float


class Setting(NamedTuple):
    """What is drawn: a world, the number of subjects, of parts, and of those that are truly first."""

    world: str
    subjects: int
    parts: int
    ties: int


class Rates(NamedTuple):
    """Shares of studies, see the module; and the mean size of the set."""

    excluded: float
    of_one: float
    ranks: float
    leader: float
    over_95: float
    size: float


def mean_study(effects: NDArray[np.float64], photos: NDArray[np.int64]) -> Study:
    """Return the means over photos of effects that each subject has, with their jackknife.

    Args:
        effects: float64 (p, k), of each subject.
        photos: int64 (p,), weights.
    """
    whole = photos.sum()
    values = photos @ effects / whole
    influences = (effects - values).T * photos / (whole - photos)
    effective = float(whole) ** 2 / float((photos**2).sum())
    return Study(values, influences * math.sqrt((effective - 1) / effective), effective - 1)


def independent(rng: np.random.Generator, subjects: int, parts: int) -> Study:
    """Effects that are normal and independent."""
    return mean_study(rng.standard_normal((subjects, parts)), np.ones(subjects, np.int64))


def correlated(rng: np.random.Generator, subjects: int, parts: int) -> Study:
    """Effects that parts share for the most part; the more they are apart, the less. The first varies most."""
    places = np.arange(parts)
    root = np.linalg.cholesky(0.9 ** np.abs(np.subtract.outer(places, places)))
    spreads = np.where(places == 0, 2.0, 1.0)
    return mean_study(rng.standard_normal((subjects, parts)) @ root.T * spreads, np.ones(subjects, np.int64))


def heavy(rng: np.random.Generator, subjects: int, parts: int) -> Study:
    """Subjects who move all parts, some of them twenty times as much as others."""
    sizes = np.exp(rng.standard_normal(subjects))
    shared = rng.standard_normal((subjects, 1))
    effects = sizes[:, None] * (shared + rng.standard_normal((subjects, parts)))
    return mean_study(effects, np.ones(subjects, np.int64))


def skewed(rng: np.random.Generator, subjects: int, parts: int) -> Study:
    """Effects that are large for a few subjects: lognormal, by half of the parts upwards and by half downwards."""
    effects = (np.exp(rng.standard_normal((subjects, parts))) - math.exp(0.5)) * np.where(np.arange(parts) % 2, -1, 1)
    return mean_study(effects, np.ones(subjects, np.int64))


def unbalanced(rng: np.random.Generator, subjects: int, parts: int) -> Study:
    """Photos as in news: subject number r has 60 / r of them, two at least."""
    photos = np.maximum(60 // np.arange(1, subjects + 1), 2)
    return mean_study(rng.standard_normal((subjects, 1)) + rng.standard_normal((subjects, parts)), photos)


def embedded(rng: np.random.Generator, subjects: int, parts: int) -> Study:
    """Impostor shifts of embeddings, two photos a subject; an occlusion adds something that all photos then share."""
    length = 16
    own = 0.4 * rng.standard_normal((subjects, length)) / math.sqrt(length)
    common = 0.4 * np.eye(length)[0]
    photos = np.full(subjects, 2)
    baseline = pair_sums(photos, 2 * (common + own))
    found = []
    for _ in range(parts):
        # The occlusion takes away some of what subjects are alike in, and of their own.
        moved = common * (1.2 + 0.2 * rng.standard_normal((subjects, 1))) + own * 0.9
        noise = 0.1 * rng.standard_normal((subjects, length)) / math.sqrt(length)
        found.append(contrast([pair_sums(photos, 2 * (moved + noise)), baseline], [1, -1]))
    truth = (1.2**2 - 1) * 0.4**2
    influences = np.array([each.by_subject for each in found]) * math.sqrt((subjects - 1) / subjects)
    return Study(np.array([each.value for each in found]) - truth, influences, subjects - 1)


WORLDS: dict[str, Callable[[np.random.Generator, int, int], Study]] = {
    "independent": independent,
    "correlated": correlated,
    "heavy": heavy,
    "skewed": skewed,
    "unbalanced": unbalanced,
    "embedded": embedded,
}
# World -> numbers of subjects.
SUBJECTS = {
    "independent": (12, 30, 100),
    "correlated": (12, 20, 30),
    "heavy": (12, 20, 30),
    "skewed": (12, 30, 100),
    "unbalanced": (105,),
    "embedded": (12, 30),
}


def settings(worlds: Sequence[str]) -> list[Setting]:
    """Return all settings of some worlds."""
    return [
        Setting(world, subjects, parts, ties)
        for world in worlds
        for subjects in SUBJECTS[world]
        for ties, parts in ((2, 2), (3, 3), (7, 7), (2, PARTS), (3, PARTS))
    ]


def simulate(setting: Setting, studies: int, resamples: int = RESAMPLES) -> Rates:
    """Draw studies, and count in which of them the sets are wrong."""
    rng = np.random.default_rng([setting.subjects, setting.parts, setting.ties])
    counts = np.zeros(len(Rates._fields))
    tied = np.arange(setting.parts) < setting.ties
    for _ in range(studies):
        study = WORLDS[setting.world](rng, setting.subjects, setting.parts)
        errors = np.sqrt((study.influences**2).sum(axis=1))
        study = study._replace(values=study.values - np.where(tied, 0, errors.mean()))
        found = PairwiseComparisons(study.values, study.influences, study.degrees).rank_sets()
        # The parts that are no tie all have the same effect as well.
        best, worst = np.where(tied, 1, setting.ties + 1), np.where(tied, setting.ties, setting.parts)
        counts += [
            not found.may_be_first[tied].all(),
            1 - found.may_be_first[tied].mean(),
            bool((found.low > best).any() or (found.high < worst).any()),
            1 - _not_below_leader(study)[tied].mean(),
            _first_shares(rng, study, resamples)[tied].max() > 0.95,
            found.may_be_first.sum(),
        ]
    return Rates(*(counts / studies).tolist())


def _not_below_leader(study: Study) -> NDArray[np.bool_]:
    """Return which parts are not significantly different from the leader, one by one."""
    leader = int(np.argmax(study.values))
    errors = np.sqrt(((study.influences[leader] - study.influences) ** 2).sum(axis=1))
    kept: NDArray[np.bool_] = study.values[leader] - study.values <= upper_quantile(0.025, study.degrees) * errors
    return kept


def _first_shares(rng: np.random.Generator, study: Study, resamples: int) -> NDArray[np.float64]:
    """Return the share of resamples in which each part is ranked first."""
    subjects = study.influences.shape[1]
    drawn = rng.multinomial(subjects, np.full(subjects, 1 / subjects), resamples) - 1.0
    firsts = np.argmax(study.values + drawn @ study.influences.T, axis=1)
    return np.bincount(firsts, minlength=len(study.values)) / resamples


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--world", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    arguments = parser.parse_args()
    print(describe())
    print(f"{'world':14}{'subjects':>9}{'parts':>6}{'ties':>5}", end="")
    print("".join(f"{name:>10}" for name in ("excluded", "of one", "ranks", "leader", "over 95 %", "size")))
    for setting in settings(arguments.world):
        rates = simulate(setting, arguments.studies)
        print(f"{setting.world:14}{setting.subjects:9}{setting.parts:6}{setting.ties:5}", end="")
        print("".join(f"{100 * rate:10.1f}" for rate in rates[:-1]) + f"{rates.size:10.2f}", flush=True)
    error = 100 * math.sqrt(0.05 * 0.95 / arguments.studies)
    print(f"{arguments.studies} studies in each row: the standard error of a rate of 5 % is {error:.1f}")


if __name__ == "__main__":
    main()
