"""The influence of each subject on each metric, against leaving the subject out."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.analysis.influence import Influence, SubjectScores, align_subjects, difference_of
from facepart.analysis.intervals import interval
from facepart.analysis.metrics import (
    authentic_mean_influence,
    d_prime,
    d_prime_influence,
    density,
    eer,
    eer_influence,
    fmr_influence,
    fnmr_at_fmr,
    fnmr_at_fmr_influence,
    fnmr_influence,
    impostor_mean_influence,
)
from facepart.scores import ScoreDistribution
from tests.people_scores import draw_photos, group_scores

FIGURES = {
    "impostor mean": (impostor_mean_influence, lambda s: s.impostor.mean),
    "authentic mean": (authentic_mean_influence, lambda s: s.authentic.mean),
    "d'": (d_prime_influence, lambda s: d_prime(*s)),
    "FMR": (lambda g: fmr_influence(g, 0.3), lambda s: float(s.impostor.share_from(0.3))),
    "FNMR": (lambda g: fnmr_influence(g, 0.3), lambda s: float(s.authentic.share_below(0.3))),
    "EER": (eer_influence, lambda s: eer(*s)),
    "FNMR at FMR": (lambda g: fnmr_at_fmr_influence(g, 0.05), lambda s: fnmr_at_fmr(s.authentic, s.impostor, 0.05)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_persons_influence_is_what_leaving_the_person_out_changes(name: str) -> None:
    """The jackknife knows nothing of derivatives and densities; over people the two go together."""
    influence, figure = FIGURES[name]
    # Rates at a threshold that moves jump from score to score, less so with more people.
    jumps = name in ("EER", "FNMR at FMR")
    people = 160 if jumps else 80
    subjects, photos, _ = draw_photos(5, people)
    group = group_scores(subjects, photos)
    found = influence(group)
    assert found.value == pytest.approx(figure(group.scores), abs=1e-9)
    left_out = [
        found.value - figure(group_scores(subjects[subjects != person], photos[subjects != person]).scores)
        for person in range(people)
    ]
    assert np.corrcoef(found.by_subject, left_out)[0, 1] > (0.8 if jumps else 0.999)
    # Jumps add to the spread of the jackknife.
    assert np.std(left_out) == pytest.approx(np.std(found.by_subject), rel=0.5 if jumps else 0.02)


def test_the_ci_of_d_prime_holds_0_at_chance() -> None:
    """Photos of a subject are as unlike as others: d' is never below 0, and the CI has to hold 0 all the same."""
    subjects, rng = np.repeat(np.arange(30), 2), np.random.default_rng(1)
    held = []
    for _ in range(150):
        photos = rng.normal(size=(60, 64))
        photos /= np.linalg.norm(photos, axis=1, keepdims=True)
        found = interval(d_prime_influence(group_scores(subjects, photos)))
        held.append(found.low <= 0 <= found.high)
    assert np.mean(held) > 0.91


def test_what_two_figures_have_in_common_cancels() -> None:
    subjects, photos, _ = draw_photos(6)
    group = group_scores(subjects, photos)
    same = d_prime_influence(group).minus(d_prime_influence(group))
    assert same.value == 0
    assert interval(same).error == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-0.5, 0.9))
def test_the_density_of_scores_is_near_scipys(seed: int, threshold: float) -> None:
    scores = np.random.default_rng(seed).normal(0.2, 0.1, 5000)
    expected = scipy.stats.gaussian_kde(scores)(threshold)[0]
    assert density(ScoreDistribution.of(scores), threshold) == pytest.approx(expected, abs=0.35)


def test_people_scores_is_a_pair() -> None:
    subjects, photos, _ = draw_photos(8)
    group = group_scores(subjects, photos)
    assert isinstance(group, SubjectScores)
    assert group.sums.impostor.count.sum() == 2 * group.scores.impostor.n


def test_influences_are_laid_out_over_the_subjects_of_both() -> None:
    first = Influence(1.0, np.array([1.0, 2.0]), 0.5, 2), ["a", "b"]
    second = Influence(3.0, np.array([10.0, 20.0, 30.0]), 0.25, 3), ["c", "b", "d"]
    one, other, shared = align_subjects(first, second)
    assert one.by_subject.tolist() == [1, 2, 0, 0]
    assert other.by_subject.tolist() == [0, 20, 10, 30]
    assert (one.value, one.double_counted, shared) == (1, 0.5, True)
    difference, paired = difference_of(first, second)
    assert (difference.value, difference.double_counted, paired) == (-2, 0, True)
    assert difference.by_subject.tolist() == [1, -18, -10, -30]
    apart, paired = difference_of(first, (second[0], ["c", "e", "d"]))
    assert (apart.double_counted, paired) == (0.75, False)
    assert apart.by_subject.tolist() == [1, 2, -10, -20, -30]
