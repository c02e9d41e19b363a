"""The variances of FMR and FNMR against those of the package cimat, and the time that both take.

Usage: python -m benchmarks.cimat_oracle [--subjects 1000] [--photos 2] [--seed 1]

cimat (on PyPI; R. Fogliato, P. Patil, P. Perona, arXiv 2306.01198) computes plug-in variances pair of subjects by
pair of subjects. facepart's are made of the influences of the subjects. They differ by definition in two ways, both
of which make facepart's larger:

- each influence is that of the jackknife: the mean over the scores without the subject, not over all scores, and the
  sum of squares is multiplied by (G - 1) / G. For equally many photos, the variance of an FNMR is larger by
  G / (G - 1);
- of an FMR, what pairs of subjects count twice is not taken off.

So two ratios are printed for each rate: the variance as facepart has it over cimat's, and facepart's influences with
these two undone, which has to be 1. The times are those of the variances alone, from the scores; of facepart, with
the sums by subject that `facepart match` computes beside the scores.
"""

import argparse
import importlib.util
import sys
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.interval_worlds import sums_by_subject
from benchmarks.machine import describe
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import variance
from facepart.analysis.metrics import fmr_influence, fnmr_influence, threshold_at_fmr
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.subject_sums import BIN, SubjectSums, Sums

FMR = 0.01
PACKAGE = "cimat"


class Photos(NamedTuple):
    """Scores of all pairs of photos, (n, n), and the subject of each photo, (n,)."""

    scores: NDArray[np.float64]
    subjects: NDArray[np.int64]

    @property
    def people(self) -> int:
        """The number of subjects."""
        return int(self.subjects.max()) + 1


class Variances(NamedTuple):
    """The variances of the two error rates, and the seconds that they took."""

    fmr: float
    fnmr: float
    seconds: float


class Comparison(NamedTuple):
    """Facepart's variances, the same by cimat's definition, and cimat's."""

    facepart: Variances
    plug_in: Variances
    cimat: Variances


def has_cimat() -> bool:
    """Return whether the package is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def draw(people: int, photos: NDArray[np.int64], seed: int) -> Photos:
    """Draw photos of subjects of whom some are similar to everyone.

    Args:
        people: subjects.
        photos: of each of them, (people,).
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((people, 48)) * 0.12
    own[:, 0] += 0.3
    subjects = np.repeat(np.arange(people), photos)
    rows = own[subjects] + rng.standard_normal((len(subjects), 48)) * 0.12
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    # In odd millionths: no score is at a threshold, which is at the edge of a bin.
    return Photos(np.floor(rows @ rows.T * 500_000) * 2e-6 + 1e-6, subjects)


def threshold_of(photos: Photos) -> float:
    """Return the threshold nearest to an FMR of 1 % at which facepart's bins of scores by subject begin."""
    first, second = np.triu_indices(len(photos.subjects), 1)
    other = photos.subjects[first] != photos.subjects[second]
    wanted = threshold_at_fmr(ScoreDistribution.of(photos.scores[first, second][other]), FMR)
    return round(wanted * 1e6 / BIN) * BIN / 1e6


def of_facepart(photos: Photos, threshold: float) -> tuple[Variances, Variances]:
    """Return the variances as facepart has them, and with what cimat defines otherwise undone."""
    group = _group(photos)
    begun = time.perf_counter()
    missed, matched = fnmr_influence(group, threshold), fmr_influence(group, threshold)
    found = variance(matched), variance(missed)
    seconds = time.perf_counter() - begun
    people, sums = photos.people, group.sums
    # Sums over pairs of subjects, by a product of the photos of each.
    member = (photos.subjects[:, None] == np.arange(people)).astype(np.float64)
    deviations = (photos.scores >= threshold) - matched.value
    between = member.T @ deviations @ member / group.scores.impostor.n
    np.fill_diagonal(between, 0.0)
    plug_in = Variances(
        _plug_in(matched, group.scores.impostor, sums.impostor) - float((np.triu(between) ** 2).sum()),
        _plug_in(missed, group.scores.authentic, sums.authentic),
        seconds,
    )
    return Variances(*found, seconds), plug_in


def of_cimat(photos: Photos, threshold: float) -> Variances:
    """Return cimat's variances; the package has to be installed."""
    from cimat import UncertaintyEstimator

    places = [np.flatnonzero(photos.subjects == subject) for subject in range(photos.people)]
    scores = {
        one: {
            other: (
                photos.scores[np.ix_(mine, mine)][np.triu_indices(len(mine), 1)]
                if one == other
                else photos.scores[np.ix_(mine, theirs)].ravel()
            ).tolist()
            for other, theirs in enumerate(places)
        }
        for one, mine in enumerate(places)
    }
    estimator = UncertaintyEstimator(scores=scores)
    begun = time.perf_counter()
    fnmr, fmr = estimator.compute_variance(threshold=threshold, estimator="plugin")
    return Variances(float(fmr), float(fnmr), time.perf_counter() - begun)


def compare(photos: Photos) -> Comparison:
    """Compute the variances by both."""
    threshold = threshold_of(photos)
    return Comparison(*of_facepart(photos, threshold), of_cimat(photos, threshold))


def _plug_in(influence: Influence, scores: ScoreDistribution, sums: Sums) -> float:
    """Return the sum of squares with each influence as a share of all scores, not of those without the subject."""
    shares = influence.by_subject * (scores.n - sums.count) / scores.n
    return float(shares @ shares)


def _group(photos: Photos) -> SubjectScores:
    first, second = np.triu_indices(len(photos.subjects), 1)
    left, right, scores = photos.subjects[first], photos.subjects[second], photos.scores[first, second]
    same = left == right
    kinds = {"authentic": ([left[same]], scores[same]), "impostor": ([left[~same], right[~same]], scores[~same])}
    sums = {
        kind: sums_by_subject(np.concatenate(owners), found, photos.people, 0)
        for kind, (owners, found) in kinds.items()
    }
    names = np.array([f"{subject:06}" for subject in range(photos.people)])
    distributions = [ScoreDistribution.of(found) for _, found in kinds.values()]
    return SubjectScores(GroupScores(*distributions), SubjectSums(names, 0, sums["authentic"], sums["impostor"]))


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--photos", type=int, default=2, help="of each subject (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not has_cimat():
        sys.exit(f"this benchmark needs the package {PACKAGE}: pip install {PACKAGE}")
    print(describe())
    found = compare(draw(arguments.subjects, np.full(arguments.subjects, arguments.photos), arguments.seed))
    for rate in ("fmr", "fnmr"):
        ours, plug_in, theirs = (getattr(each, rate) for each in found)
        print(f"{rate.upper():5} variance {ours:.6g}, cimat's {theirs:.6g}: ratio {ours / theirs:.4f}", end="; ")
        print(f"by cimat's definition {plug_in / theirs:.12f}")
    seconds, theirs = found.facepart.seconds, found.cimat.seconds
    print(f"{seconds * 1000:.2f} ms, cimat {theirs:.1f} s: {theirs / seconds:,.0f} times as fast")


if __name__ == "__main__":
    main()
