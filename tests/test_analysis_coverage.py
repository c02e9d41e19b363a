"""How often 95 % intervals hold the truth, on drawn scores with person effects, where the truth is known.

An embedding is a common part, a person's own part and noise; a score is a product of two. Part of a person's own lies
along the common part, so that some people are alike to everyone: a person effect. Intervals that take scores as
independent then hold the truth in few of the draws.
"""

import math
from collections import defaultdict
from functools import cache

import numpy as np
import pytest

from facepart.analysis.contrasts import contrast, pair_sums
from facepart.analysis.intervals import Interval, interval, rate_interval, ratio_interval
from facepart.analysis.metrics import (
    authentic_mean_influence,
    d_prime,
    d_prime_influence,
    eer,
    eer_influence,
    fmr_influence,
    fnmr_influence,
    impostor_mean_influence,
    threshold_at_fmr,
)
from facepart.scores import GroupScores, ScoreDistribution
from tests.people_scores import group_scores, person_vectors

pytestmark = pytest.mark.slow

PEOPLE, DRAWS = 100, 300
COMMON, OWN, ALONG, NOISE, LENGTH = 0.3, 0.12, 1.3, 0.06, 24
FMR = 0.05


def draw_group(rng: np.random.Generator, people: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is on each photo; embeddings before and after a change that leaves less of a person and more in common."""
    subjects = np.repeat(np.arange(people), rng.integers(2, 4, people))
    own = rng.standard_normal((people, LENGTH)) * OWN
    own[:, 0] *= ALONG
    noise = rng.standard_normal((len(subjects), LENGTH)) * NOISE
    common = np.eye(LENGTH)[0] * COMMON
    changed = own * 0.8 + rng.standard_normal((people, LENGTH)) * OWN / 3
    return subjects, common + own[subjects] + noise, 1.1 * common + changed[subjects] + noise


def draw_pairs(rng: np.random.Generator, count: int, changed: bool) -> GroupScores:
    """Scores of independent pairs: of one person each, and of two people each."""
    people = 2 * count
    own = rng.standard_normal((people, LENGTH)) * OWN
    own[:, 0] *= ALONG
    if changed:
        own = own * 0.8 + rng.standard_normal((people, LENGTH)) * OWN / 3
    own[:, 0] += COMMON * (1.1 if changed else 1)
    first, second = (own + rng.standard_normal((people, LENGTH)) * NOISE for _ in range(2))
    scores = np.einsum("id,id->i", first, second), np.einsum("id,id->i", first[::2], second[1::2])
    return GroupScores(*(ScoreDistribution.of(each) for each in scores))


@cache
def truth() -> dict[str, float]:
    """What the figures tend to with ever more people: by formula for means, else from many independent pairs."""
    rng = np.random.default_rng(0)
    before, after = draw_pairs(rng, 400_000, changed=False), draw_pairs(rng, 400_000, changed=True)
    threshold = threshold_at_fmr(before.impostor, FMR)
    rates = [float(scores.impostor.share_from(threshold)) for scores in (before, after)]
    return {
        "threshold": threshold,
        "impostor mean": COMMON**2,
        "shift": 0.21 * COMMON**2,
        "authentic mean": COMMON**2 + OWN**2 * (LENGTH - 1 + ALONG**2),
        "d'": d_prime(*before),
        "change of d'": d_prime(*after) - d_prime(*before),
        "FMR": rates[0],
        "times more": rates[1] / rates[0],
        "FNMR": float(before.authentic.share_below(threshold)),
        "EER": eer(*before),
    }


@cache
def coverage() -> dict[str, float]:
    """Draw groups, and count how often each interval holds the truth."""
    rng, known = np.random.default_rng(1), truth()
    held: defaultdict[str, int] = defaultdict(int)

    def note(name: str, found: Interval | tuple[float, float], of: str = "") -> None:
        low, high = (found.low, found.high) if isinstance(found, Interval) else found
        held[name] += low <= known[of or name] <= high

    for _ in range(DRAWS):
        subjects, before, after = draw_group(rng, PEOPLE)
        ours, theirs = (group_scores(subjects, photos, lowest=100_000) for photos in (before, after))
        conditions = [pair_sums(*person_vectors(subjects, photos)) for photos in (after, before)]
        note("impostor mean", interval(impostor_mean_influence(ours)))
        note("shift", interval(contrast(conditions, [1, -1])))
        note("authentic mean", interval(authentic_mean_influence(ours)))
        note("d'", interval(d_prime_influence(ours)))
        note("change of d'", interval(d_prime_influence(theirs).minus(d_prime_influence(ours))))
        more, fewer = (fmr_influence(group, known["threshold"]) for group in (theirs, ours))
        note("FMR", rate_interval(fewer, fewer.effective / 2))
        note("times more", ratio_interval(more, fewer))
        note("FNMR", rate_interval(fnmr_influence(ours, known["threshold"]), ours.effective_authentic))
        note("EER", rate_interval(eer_influence(ours), ours.effective_authentic))
        impostor = ours.scores.impostor
        reach = 1.96 * math.sqrt(impostor.variance / impostor.n)
        note("naive", (impostor.mean - reach, impostor.mean + reach), "impostor mean")
    return {name: count / DRAWS for name, count in held.items()}


@pytest.mark.parametrize(
    "name",
    [
        "impostor mean",
        "shift",
        "authentic mean",
        "d'",
        "change of d'",
        "FMR",
        "times more",
        "FNMR",
        "EER",
    ],
)
def test_intervals_of_95_per_cent_hold_the_truth_about_as_often(name: str) -> None:
    assert 0.93 <= coverage()[name] <= 0.97


def test_intervals_that_take_scores_as_independent_do_not() -> None:
    assert coverage()["naive"] < 0.6
