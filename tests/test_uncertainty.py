"""Standard errors and intervals against brute force over all pairs of people, and against SciPy."""

import math
from itertools import combinations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.analysis.contrasts import contrast, pair_sums, resample_subjects, resampled_means
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import (
    interval,
    mean_interval,
    rate_interval,
    ratio_interval,
    t_quantile,
    variance,
)
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
from facepart.analysis.wilson import wilson_interval
from tests.people_scores import group_scores, person_vectors


def draw_photos(seed: int, people: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is on each photo, and embeddings before and after a change."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people), rng.integers(1, 5, people))
    centres = rng.standard_normal((people, 8)) * 0.15 + 0.1
    photos = centres[subjects] + rng.standard_normal((len(subjects), 8)) * 0.08
    after = photos * 0.8 + rng.standard_normal((people, 8))[subjects] * 0.05 + 0.05
    return subjects, photos, after


def by_pair(subjects: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the scores between every two people, looked at one by one; 0 on the diagonal."""
    scores, people = left @ right.T, subjects.max() + 1
    totals, counts = np.zeros((people, people)), np.zeros((people, people))
    for i in range(len(subjects)):
        for j in range(len(subjects)):
            if subjects[i] != subjects[j]:
                totals[subjects[i], subjects[j]] += scores[i, j]
                counts[subjects[i], subjects[j]] += 1
    return totals, counts


def dyadic_variance(totals: np.ndarray, counts: np.ndarray) -> float:
    """The variance of a mean over pairs: all products of pairs that share a person, added up one by one."""
    pairs = list(combinations(range(len(totals)), 2))
    number = sum(counts[pair] for pair in pairs)
    mean = sum(totals[pair] for pair in pairs) / number
    away = {pair: totals[pair] - mean * counts[pair] for pair in pairs}
    return sum(away[one] * away[two] for one in pairs for two in pairs if set(one) & set(two)) / number**2


def clustered(found: Influence, counts: np.ndarray) -> float:
    """The variance of a mean from the influences of people, as they are with each person's own scores still in it."""
    stay = 1 - counts.sum(axis=1) / (counts.sum() / 2)
    return float(np.sum((found.by_subject * stay) ** 2) - found.double_counted)


def test_the_variance_of_a_mean_is_that_of_all_pairs_that_share_a_person() -> None:
    subjects, photos, _ = draw_photos(0, people=14)
    numbers, vectors = person_vectors(subjects, photos)
    totals, counts = by_pair(subjects, photos, photos)
    found = contrast([pair_sums(numbers, vectors)], [1])
    upper = np.triu_indices(len(totals), 1)
    assert found.value == pytest.approx(totals[upper].sum() / counts[upper].sum())
    assert clustered(found, counts) == pytest.approx(dyadic_variance(totals, counts))


@pytest.mark.parametrize("cross", [False, True])
def test_a_shift_is_paired_by_pairs_of_people(cross: bool) -> None:
    subjects, before, after = draw_photos(1, people=13)
    numbers, ours = person_vectors(subjects, before)
    _, theirs = person_vectors(subjects, after)
    totals, counts = by_pair(subjects, before, before)
    changed, _ = by_pair(subjects, after, before if cross else after)
    if cross:
        changed = (changed + changed.T) / 2  # both directions of two people, their mean
    found = contrast([pair_sums(numbers, theirs, ours if cross else None), pair_sums(numbers, ours)], [1, -1])
    upper = np.triu_indices(len(totals), 1)
    assert found.value == pytest.approx((changed - totals)[upper].sum() / counts[upper].sum())
    assert clustered(found, counts) == pytest.approx(dyadic_variance(changed - totals, counts))


def test_the_sums_of_the_matcher_say_the_same_of_a_mean_as_pairs_of_people() -> None:
    subjects, photos, _ = draw_photos(2)
    group = group_scores(subjects, photos)
    numbers, vectors = person_vectors(subjects, photos)
    exact, found = contrast([pair_sums(numbers, vectors)], [1]), impostor_mean_influence(group)
    assert found.value == pytest.approx(exact.value, abs=1e-6)
    np.testing.assert_allclose(found.by_subject, exact.by_subject, atol=1e-6)
    assert 0 < found.double_counted < exact.double_counted  # photo by photo, less is counted twice


@pytest.mark.parametrize("cross", [False, True])
def test_means_over_people_drawn_anew_are_those_over_the_pairs_that_were_drawn(cross: bool) -> None:
    subjects, before, after = draw_photos(3, people=12)
    numbers, ours = person_vectors(subjects, before)
    _, theirs = person_vectors(subjects, after)
    totals, counts = by_pair(subjects, after if cross else before, before)
    weights = resample_subjects(12, 20, seed=4)
    assert (weights.sum(axis=1) == 12).all()
    condition = pair_sums(numbers, theirs, ours) if cross else pair_sums(numbers, ours)
    for drawn, found in zip(weights, resampled_means([condition], weights)[:, 0], strict=True):
        often = np.outer(drawn, drawn)
        assert found == pytest.approx((often * totals).sum() / (often * counts).sum(), abs=1e-5)


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


def test_what_two_figures_have_in_common_cancels() -> None:
    subjects, photos, _ = draw_photos(6)
    group = group_scores(subjects, photos)
    same = d_prime_influence(group).minus(d_prime_influence(group))
    assert same.value == 0
    assert interval(same, 30).error == 0


def test_a_figure_has_no_interval_where_too_little_is_known() -> None:
    subjects, photos, _ = draw_photos(7, people=9)
    few = impostor_mean_influence(group_scores(subjects, photos))
    assert math.isnan(interval(few, 9).low)
    assert interval(few, 9).value == few.value
    subjects, photos, _ = draw_photos(7)
    group = group_scores(subjects, photos, lowest=200_000)
    below = rate_interval(fmr_influence(group, 0.1), 30, 15)
    assert below.value == pytest.approx(float(group.scores.impostor.share_from(0.1)))
    assert math.isnan(below.low)


def test_the_variance_is_never_less_than_if_pairs_were_independent() -> None:
    """Leaving out what is counted twice may leave nothing."""
    assert variance(Influence(0, np.full(20, 0.1), 0.15), 20) == 0.15
    assert variance(Influence(0, np.full(20, 0.1), 0.05), 20) == pytest.approx(0.19 - 0.05)


@given(st.floats(0.001, 0.999), st.integers(9, 5000))
def test_quantiles_of_student_are_scipys(share: float, degrees: int) -> None:
    # The expansion is for the middle; intervals need 0.975.
    if 0.02 < share < 0.98:
        assert t_quantile(share, degrees) == pytest.approx(scipy.stats.t.ppf(share, degrees), abs=2e-3)


def test_quantiles_for_intervals() -> None:
    for degrees in (9, 20, 101, math.inf):
        expected = scipy.stats.t.ppf(0.975, degrees) if degrees < math.inf else scipy.stats.norm.ppf(0.975)
        assert t_quantile(0.975, degrees) == pytest.approx(expected, abs=1e-4)


def test_an_interval_of_independent_people_is_students() -> None:
    values = np.random.default_rng(0).normal(size=25)
    found = interval(Influence(values.mean(), (values - values.mean()) / 24, 0.0), 25)
    expected = scipy.stats.t.interval(0.95, 24, values.mean(), scipy.stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-4)


def test_a_rate_of_zero_has_an_interval_that_people_set() -> None:
    none = rate_interval(Influence(0.0, np.zeros(40), 0.0), 40, 20)
    assert (none.low, none.high) == wilson_interval(0.0, 0.0, 20, t_quantile(0.975, 39))
    assert 0.1 < none.high < 0.2


def test_a_ratio_has_the_interval_of_its_logarithm() -> None:
    before = Influence(0.01, np.random.default_rng(0).normal(0, 2e-4, 50), 0.0)
    after = Influence(0.03, before.by_subject * 3, 0.0)
    found = ratio_interval(after, before, 50)
    # Both rates move in proportion for every person: their ratio does not move.
    assert (found.value, found.low, found.high) == pytest.approx((3, 3, 3))
    apart = ratio_interval(after._replace(by_subject=after.by_subject[::-1]), before, 50)
    assert apart.low < 3 < apart.high
    assert apart.low * apart.high == pytest.approx(9)
    assert math.isnan(ratio_interval(after, before._replace(value=0.0), 50).value)


def test_a_mean_over_groups_has_the_degrees_of_freedom_of_welch() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.normal(0, 1, 12), rng.normal(3, 2, 30)
    figures = [(Influence(v.mean(), (v - v.mean()) / (len(v) - 1), 0.0), len(v)) for v in (one, two)]
    found = mean_interval(figures)
    opposite = mean_interval([figures[0], (figures[1][0]._replace(value=-two.mean()), 30)])
    welch = scipy.stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx((one.mean() + two.mean()) / 2)
    assert (2 * opposite.low, 2 * opposite.high) == pytest.approx((welch.low, welch.high), abs=1e-3)
    assert math.isnan(mean_interval([]).value)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-0.5, 0.9))
def test_the_density_of_scores_is_near_scipys(seed: int, threshold: float) -> None:
    from facepart.scores import ScoreDistribution

    scores = np.random.default_rng(seed).normal(0.2, 0.1, 5000)
    expected = scipy.stats.gaussian_kde(scores)(threshold)[0]
    assert density(ScoreDistribution.of(scores), threshold) == pytest.approx(expected, abs=0.35)


def test_people_scores_is_a_pair() -> None:
    subjects, photos, _ = draw_photos(8)
    group = group_scores(subjects, photos)
    assert isinstance(group, SubjectScores)
    assert group.sums.impostor.count.sum() == 2 * group.scores.impostor.n
