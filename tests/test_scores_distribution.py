"""Score distributions, against NumPy on the scores themselves and against exact arithmetic."""

import doctest
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import facepart.scores.distribution
from facepart.errors import FacepartError
from facepart.scores import STEPS, ScoreDistribution

# Multiples of 1e-6, some of them often.
STEPS_LISTS = st.lists(st.one_of(st.integers(-STEPS, STEPS), st.integers(-3, 3)), min_size=1, max_size=50)


def scores_of(steps: list[int]) -> np.ndarray:
    return np.array(steps) / STEPS


@given(STEPS_LISTS)
def test_its_statistics_are_those_of_numpy(steps: list[int]) -> None:
    scores = scores_of(steps)
    found = ScoreDistribution.of(scores)
    assert np.array_equal(np.repeat(found.scores, found.counts), np.sort(scores))
    assert found.n == len(steps)
    assert found.mean == float(Fraction(sum(steps), len(steps) * STEPS))
    mean = Fraction(sum(steps), len(steps))
    assert found.variance == float(sum((step - mean) ** 2 for step in steps) / len(steps) / STEPS**2)
    values, counts = np.unique(scores, return_counts=True)
    assert found.mode == values[np.argmax(counts)]
    for share in (0, 0.1, 0.25, 0.5, 0.75, 1 / 3, 1):
        assert found.quantile(share) == pytest.approx(np.quantile(scores, share), abs=1e-12)
    thresholds = np.concatenate([scores, [-2, 0, 0.5e-6, 2]])
    assert found.count_below(thresholds).tolist() == [int((scores < t).sum()) for t in thresholds]
    assert found.share_below(0.0) + found.share_from(0.0) == 1
    assert found.share_from(thresholds).tolist() == [float((scores >= t).mean()) for t in thresholds]


@given(STEPS_LISTS, st.lists(st.integers(-11, 11), min_size=2, max_size=12, unique=True))
def test_coarser_bins_are_numpys(steps: list[int], edges: list[int]) -> None:
    bounds = np.sort(edges) / 10
    expected, _ = np.histogram(scores_of(steps), bounds)
    assert ScoreDistribution.of(scores_of(steps)).histogram(bounds).tolist() == expected.tolist()


@given(st.lists(STEPS_LISTS, min_size=1, max_size=5))
def test_parts_add_up_to_the_whole_in_any_order(parts: list[list[int]]) -> None:
    whole = ScoreDistribution.of(scores_of([step for part in parts for step in part]))
    found = [ScoreDistribution.of(scores_of(part)) for part in parts]
    assert ScoreDistribution.merged(found) == whole
    assert ScoreDistribution.merged(reversed(found)) == whole
    total = ScoreDistribution.of([])
    for each in found:
        total = total + each
    assert total == whole


def test_a_trillion_scores_are_counted_exactly() -> None:
    rng = np.random.default_rng(0)
    values = np.sort(rng.choice(2 * STEPS + 1, 400_000, replace=False)) - STEPS
    counts = rng.integers(1, 5_000_000, 400_000)
    found = ScoreDistribution(values.astype(np.int32), counts.astype(np.int64))
    assert found.n > 9e11
    pairs = list(zip(values.tolist(), counts.tolist(), strict=True))
    mean = Fraction(sum(value * count for value, count in pairs), found.n)
    square = Fraction(sum(value**2 * count for value, count in pairs), found.n)
    assert found.mean == float(mean / STEPS)
    assert found.variance == float((square - mean**2) / STEPS**2)
    # One score more is seen.
    more = found + ScoreDistribution.of([1.0])
    assert more.n == found.n + 1
    assert more.mean != found.mean


def test_large_counts_do_not_overflow() -> None:
    found = ScoreDistribution(np.array([-STEPS, STEPS], np.int32), np.array([2**61, 2**61], np.int64))
    assert (found.mean, found.variance, found.n) == (0.0, 1.0, 2**62)
    assert found.quantile(0.25) == -1


def test_scores_are_rounded_to_six_decimals() -> None:
    found = ScoreDistribution.of(np.array([0.940595, 0.94059501], np.float32))
    assert found.values.tolist() == [940595]
    assert ScoreDistribution.of([0.1234564999, 0.1234565001]).values.tolist() == [123456, 123457]
    # Scores of another measure, beyond -1 to 1, are counted too.
    assert ScoreDistribution.of([-250.5, 999.0]).scores.tolist() == [-250.5, 999.0]
    with pytest.raises(FacepartError, match="my scores: the largest score that can be counted is"):
        ScoreDistribution.of([0.0, 1000.1], "my scores")


def test_no_scores_have_no_mean() -> None:
    none = ScoreDistribution.of([])
    assert none.n == 0
    for ask in (lambda: none.mean, lambda: none.variance, lambda: none.mode, lambda: none.quantile(0.5)):
        with pytest.raises(FacepartError, match="there are no scores"):
            ask()


@pytest.mark.parametrize(
    ("values", "counts", "reason"),
    [
        (np.array([1, 1], np.int32), np.array([1, 1]), "have to ascend"),
        (np.array([1, 2], np.int32), np.array([1, 0]), "has to occur"),
        (np.array([1, 2], np.int32), np.array([1]), "do not go with"),
        (np.array([1, 2]), np.array([1, 1]), "values are int32"),
        (np.array([1, 2], np.int32), np.array([1.0, 1.0]), "counts int64"),
        (np.array([2_000_000_000], np.int32), np.array([1]), "largest score"),
    ],
)
def test_an_invalid_distribution_is_refused(values, counts, reason: str) -> None:
    with pytest.raises(FacepartError, match=reason):
        ScoreDistribution(values, counts)


def test_the_examples_in_the_docstrings_run() -> None:
    found = doctest.testmod(facepart.scores.distribution)
    assert found.attempted > 0
    assert found.failed == 0
