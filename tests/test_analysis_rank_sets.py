"""Rank intervals and possible firsts: what they hold, and how often they are wrong where parts are tied."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from facepart.analysis.rank_sets import PairwiseComparisons


def draw_influences(rng: np.random.Generator, parts: int, subjects: int) -> np.ndarray:
    """Correlated influences whose sums of squares are about 1."""
    mixed = rng.standard_normal((parts, parts)) @ rng.standard_normal((parts, subjects))
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(10, 40))
def test_sets_hold_the_estimated_ranks_and_follow_the_parts(seed: int, parts: int, subjects: int) -> None:
    rng = np.random.default_rng(seed)
    values, influences = 3 * rng.standard_normal(parts), draw_influences(rng, parts, subjects)
    found = PairwiseComparisons(values, influences, subjects - 1).rank_sets()
    ranks = 1 + (values[None, :] > values[:, None]).sum(axis=1)
    assert (found.low <= ranks).all() and (ranks <= found.high).all()
    assert found.may_be_first[values.argmax()]
    # Parts in another order have the same sets.
    order = rng.permutation(parts)
    again = PairwiseComparisons(values[order], influences[order], subjects - 1).rank_sets()
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one[order], other)
    # Surer estimates leave no more ranks open.
    surer = PairwiseComparisons(values, influences / 3, subjects - 1).rank_sets()
    assert (surer.low >= found.low).all() and (surer.high <= found.high).all()
    assert not (surer.may_be_first & ~found.may_be_first).any()


def test_two_parts_are_tested_as_by_students_t() -> None:
    influences = np.array([[0.1, -0.1] * 6, [0.0] * 12])
    error = np.linalg.norm(influences[0] - influences[1])
    critical = t.ppf(0.975, 11) * error
    for times, differs in ((0.97, False), (1.03, True)):
        found = PairwiseComparisons(np.array([times * critical, 0.0]), influences, 11).rank_sets()
        assert found.may_be_first.tolist() == [True, not differs]
        assert found.high.tolist() == ([1, 2] if differs else [2, 2])


def test_a_part_of_which_nothing_is_known_may_have_any_rank() -> None:
    influences = np.random.default_rng(0).standard_normal((3, 20)) / 50
    influences[2, 0] = np.nan
    found = PairwiseComparisons(np.array([5.0, 0.0, 1.0]), influences, 19).rank_sets()
    assert (found.low[2], found.high[2], found.may_be_first[2]) == (1, 3, True)
    assert not found.may_be_first[1]


@pytest.mark.parametrize("tied", [2, 3, 7])
@pytest.mark.parametrize("correlated", [False, True])
def test_true_firsts_are_seldom_ruled_out(tied: int, correlated: bool) -> None:
    """Seven parts, of which so many are equally first: the set leaves one of these out in 5 % of studies."""
    rng, subjects, draws, parts = np.random.default_rng(10 * tied + correlated), 24, 400, 7
    mix = rng.standard_normal((parts, parts)) if correlated else np.eye(parts)
    truth = np.where(np.arange(parts) < tied, 0.0, -0.6)
    wrong = outside = 0
    for _ in range(draws):
        each = rng.standard_normal((parts, subjects))
        each = truth[:, None] + mix @ each / np.linalg.norm(mix, axis=1, keepdims=True)
        values = each.mean(axis=1)
        # The jackknife's influences, with n - 1 degrees of freedom.
        influences = (each - values[:, None]) / np.sqrt(subjects * (subjects - 1))
        found = PairwiseComparisons(values, influences, subjects - 1).rank_sets()
        wrong += not found.may_be_first[:tied].all()
        # Tied parts share the ranks from 1 to their number; any of these is a true one.
        outside += bool((found.low[:tied] > tied).any() or (found.high[:tied] < 1).any())
        outside += bool((found.high[tied:] <= tied).any())
    assert wrong / draws <= 0.06 + 2 * np.sqrt(0.05 * 0.95 / draws)
    assert outside / draws <= 0.06 + 2 * np.sqrt(0.05 * 0.95 / draws)


def test_it_can_be_ruled_out_at_all() -> None:
    """At an error that is small against the gap, the sets are single ranks."""
    influences = draw_influences(np.random.default_rng(3), 4, 30) / 100
    found = PairwiseComparisons(np.array([4.0, 3.0, 2.0, 1.0]), influences, 29).rank_sets()
    assert found.low.tolist() == found.high.tolist() == [1, 2, 3, 4]
    assert found.may_be_first.tolist() == [True, False, False, False]


def test_what_positions_add_is_part_of_each_error() -> None:
    # Influences that are the same with the other sign have no skewness.
    influences = np.array([[0.1, -0.1] * 6, [0.2, 0.2, -0.2, -0.2] * 3, [0.0] * 12])
    values, added, degrees = np.array([0.9, 0.2, -0.4]), np.array([0.3, 0.05, 0.2]), 11
    found = PairwiseComparisons(values, influences, degrees, added).p_values
    for i, j in np.ndindex(3, 3):
        if i != j:
            error = np.sqrt(((influences[i] - influences[j]) ** 2).sum() + added[i] + added[j])
            assert found[i, j] == pytest.approx(t.sf((values[i] - values[j]) / error, degrees))
