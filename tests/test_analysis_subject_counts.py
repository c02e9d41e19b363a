"""Intervals rest on the subjects who carry a figure: on few of them, there is none, or it holds the truth anyway."""

import math
from functools import reduce

import numpy as np
import pytest
from scipy.stats import t as student

from facepart.analysis.contrasts import contrast, pair_sums
from facepart.analysis.influence import Influence, SubjectScores, effective_subjects
from facepart.analysis.intervals import interval, rate_interval, why_no_interval
from facepart.analysis.metrics import (
    authentic_mean_influence,
    d_prime,
    d_prime_influence,
    eer,
    eer_interval,
    fmr_influence,
    fnmr_at_fmr_influence,
    kolmogorov_smirnov,
)
from facepart.analysis.results import CONTROL, WITHIN, RowKey, part_result
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.subject_sums import SubjectSums, Sums
from tests.people_scores import group_scores, person_vectors


def draw(seed: int, photos: list[int], noise: float = 0.08) -> tuple[np.ndarray, np.ndarray]:
    """The subject of each photo, and embeddings of length 1."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(len(photos)), photos)
    rows = rng.standard_normal((len(photos), 20))[subjects] * 0.13
    rows += rng.standard_normal((len(subjects), 20)) * noise
    rows[:, 0] += 0.3
    return subjects, rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_authentic_figures_of_few_effective_subjects_have_no_interval_or_hold_the_truth() -> None:
    """60 / rank photos: most authentic scores are of two of 40 subjects."""
    rng = np.random.default_rng(5)
    photos = np.maximum(2, np.round(60 / np.arange(1, 41))).astype(int)
    count = photos * (photos - 1) // 2
    owner, names = np.repeat(np.arange(40), count), np.array([f"{number:02}" for number in range(40)])
    given = held = 0
    for _ in range(200):
        scores = 0.6 + (rng.standard_normal(40) * 0.08)[owner] + rng.standard_normal(len(owner)) * 0.05
        total, squares = (np.bincount(owner, each).astype(np.float64) for each in (scores, scores**2))
        sums = Sums(count, total, squares, np.zeros((40, 1), np.int32))
        distributions = GroupScores(ScoreDistribution.of(scores), ScoreDistribution.of([0.0]))
        found = interval(authentic_mean_influence(SubjectScores(distributions, SubjectSums(names, 0, sums, sums))))
        given += not math.isnan(found.low)
        held += found.low <= 0.6 <= found.high
    assert effective_subjects(count) < 3
    assert not given or held / given >= 0.9


def test_d_prime_has_no_interval_where_four_subjects_have_a_second_photo() -> None:
    subjects, rows = draw(0, [3] * 4 + [1] * 96)
    group = group_scores(subjects, rows)
    key = RowKey("g", "nose", "blur", WITHIN, len(subjects), 100, 0, len(subjects), 100, 0.1, 0.1)
    shift = interval(contrast([pair_sums(*person_vectors(subjects, rows))] * 2, [1, -1]))
    row = part_result(key, group, [group], {"impostor_shift": shift})
    for figure in (row.d_prime_baseline, row.d_prime, row.d_prime_change, row.eer, row.authentic_mean):
        assert math.isnan(figure.low)
        assert figure.no_ci == "fewer than 10 effective subjects (4.0)"
    assert row.impostor_mean.no_ci == ""


def test_the_positions_of_a_control_support_no_lower_fmr_than_one_of_them() -> None:
    """4,900 impostor scores at baseline, 14,700 over three positions: of the same pairs of photos."""
    subjects, rows = draw(2, [2] * 50)
    group = group_scores(subjects, rows)
    key = RowKey("g", "nose", "blur", CONTROL, 100, 50, 0, 100, 50, 0.1, 0.1)
    shift = interval(contrast([pair_sums(*person_vectors(subjects, rows))] * 2, [1, -1]))
    row = part_result(key, group, [group] * 3, {"impostor_shift": shift})
    assert row.impostor_n == 14_700
    assert math.isnan(row.fnmr_1e3_baseline.value) and math.isnan(row.fnmr_1e3.value)


def test_the_figures_of_a_control_are_the_means_over_its_positions() -> None:
    """Positions that shift scores differently would seem to spread them if their scores were thrown together."""
    subjects, rows = draw(3, [3] * 40)
    common = rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))
    draws = [group_scores(subjects, rows + much * common) for much in (0.0, 0.5, 1.0)]
    key = RowKey("g", "nose", "blur", CONTROL, 120, 40, 0, 120, 40, 0.1, 0.1)
    shift = interval(contrast([pair_sums(*person_vectors(subjects, rows))] * 2, [1, -1]))
    row = part_result(key, draws[0], draws, {"impostor_shift": shift})
    each = [d_prime(*draw.scores) for draw in draws]
    assert row.d_prime.value == pytest.approx(np.mean(each))
    thrown_together = reduce(GroupScores.merged_with, (draw.scores for draw in draws))
    assert d_prime(*thrown_together) < np.mean(each) - 0.1
    # Its CI lies about the mean of what the jackknife finds for each position.
    by_subject = np.mean([d_prime_influence(draw).by_subject for draw in draws], axis=0)
    reach = student.ppf(0.975, 39) * np.sqrt((by_subject**2).sum() * 39 / 40)
    assert (row.d_prime.high - row.d_prime.low) / 2 == pytest.approx(reach)
    assert row.d_prime_change.value == pytest.approx(np.mean(each) - each[0])
    assert row.authentic_ks == pytest.approx(
        np.mean([kolmogorov_smirnov(draws[0].scores.authentic, draw.scores.authentic) for draw in draws])
    )


def test_the_interval_of_d_prime_is_that_of_the_jackknife() -> None:
    """By leaving out the photos of one subject at a time: pseudo-values have the jackknife's mean."""
    subjects, rows = draw(1, [2] * 12 + [1] * 20)
    group = group_scores(subjects, rows)
    found = d_prime_influence(group)
    whole = d_prime(*group.scores)
    without = np.array(
        [d_prime(*group_scores(subjects[subjects != one], rows[subjects != one]).scores) for one in range(32)]
    )
    np.testing.assert_allclose(found.by_subject, whole - without, atol=2e-5)
    told = interval(found)
    pseudo_values = 32 * whole - 31 * without
    assert (told.low + told.high) / 2 == pytest.approx(pseudo_values.mean(), abs=1e-4)
    assert told.value == whole


def test_degrees_of_an_fmr_are_those_of_the_subjects_who_make_up_its_variance() -> None:
    subjects, rows = draw(2, [2] * 60)
    # The first subject is similar to everyone.
    rows[:2] = np.eye(20)[0]
    group = group_scores(subjects, rows)
    found = fmr_influence(group, float(np.quantile(group.scores.impostor.scores, 0.998)))
    squares = found.by_subject**2
    assert found.degrees == pytest.approx(squares.sum() ** 2 / (squares**2).sum() - 1)
    assert found.degrees < 10 < found.effective
    surer = found._replace(degrees=math.inf)
    assert rate_interval(found, 30).high > rate_interval(surer, 30).high
    assert fnmr_at_fmr_influence(group, 0.002).degrees < 10


def test_no_interval_where_a_single_subject_makes_up_the_variance() -> None:
    one = Influence(0.1, np.r_[0.01, np.full(39, 1e-5)], 0.0, 40.0, 40, degrees=0.01)
    assert why_no_interval(one) == "fewer than two effective subjects make up its variance"
    assert math.isnan(rate_interval(one, 20).low)
    unknown = Influence(0.1, np.r_[np.nan, np.full(39, 1e-5)], 0.0, 40.0, 40)
    assert rate_interval(unknown, 20).no_ci == "the sums by subject do not reach down to the threshold"


@pytest.mark.parametrize(("seed", "noise"), [(0, 0.08), (1, 0.12), (2, 0.16)])
def test_the_interval_of_an_eer_holds_the_rates_that_a_score_test_accepts(seed: int, noise: float) -> None:
    """By a grid of rates: each is tested by the FNMR at this FMR, with raw scores."""
    subjects, rows = draw(seed, [2] * 60, noise)
    group = group_scores(subjects, rows)
    found = eer_interval(group)
    assert found.low <= found.value == eer(*group.scores) <= found.high
    first, second = np.triu_indices(120, 1)
    scores, same = np.round((rows @ rows.T)[first, second], 6), subjects[first] == subjects[second]
    authentic, impostor = scores[same], np.sort(scores[~same])[::-1]
    # One authentic score a subject, and about as much from the threshold as from these: no rate that is accepted
    # can be farther off than by the binomial alone, and none that the binomial accepts is rejected.
    for rate in np.linspace(0.001, 0.5, 200):
        threshold = impostor[int(rate * len(impostor))] + 1e-6
        apart = abs((authentic < threshold).mean() - rate)
        if apart <= 1.98 * math.sqrt(rate * (1 - rate) / 60):
            assert found.low <= rate <= found.high
