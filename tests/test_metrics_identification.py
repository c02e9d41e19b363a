"""Identification rates: a hand-made example, leaving subjects out, and how often intervals hold the truth."""

import doctest
from functools import cache

import numpy as np
import pytest

from facepart.analysis.influence import Influence
from facepart.analysis.intervals import rate_change_interval, rate_interval, variance
from facepart.analysis.metrics import (
    cmc,
    identification,
    identification_influence,
    identification_interval,
    identification_rate,
)
from facepart.errors import FacepartError, UsageError
from facepart.scores.ranks import SubjectRanks

PEOPLE, DRAWS, LENGTH = 60, 300, 12


def test_rates_of_a_hand_made_example() -> None:
    assert [identification_rate([1, 1, 2, 9], most) for most in (1, 2, 8, 9)] == [0.5, 0.75, 0.75, 1]
    assert cmc(np.array([1, 1, 2, 9]), 3).tolist() == [0.5, 0.75, 0.75]
    assert doctest.testmod(identification).attempted > 0
    assert doctest.testmod(identification).failed == 0


@pytest.mark.parametrize(
    ("ranks", "reason"),
    [
        ([], "no probe has an authentic and an impostor score"),
        ([0, 1], "a rank is at least 1, not 0"),
        ([1.5, 1.0], "whole numbers"),
        ([[1, 2]], "whole numbers"),
    ],
)
def test_what_are_no_ranks_is_refused(ranks, reason: str) -> None:
    with pytest.raises(FacepartError, match=reason):
        identification_rate(ranks)
    with pytest.raises(UsageError, match="ranks begin with 1"):
        cmc([1], 0)


def draw_ranks(seed: int, people: int = 25) -> SubjectRanks:
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people), rng.integers(0, 5, people))
    return SubjectRanks(people, subjects, rng.geometric(0.2 + 0.7 * rng.random(people)[subjects]))


def test_a_subjects_influence_is_what_leaving_the_subject_out_changes() -> None:
    ranks = draw_ranks(1)
    found = identification_influence(ranks, 2)
    assert found.value == np.mean(ranks.ranks <= 2)
    for subject in range(ranks.subject_count):
        left = ranks.ranks[ranks.subjects != subject]
        assert found.by_subject[subject] == pytest.approx(found.value - np.mean(left <= 2))
    assert ranks.ranked_subjects == len(set(ranks.subjects.tolist())) < ranks.subject_count


def test_the_interval_counts_the_subjects_that_have_ranks() -> None:
    ranks = draw_ranks(2)
    known = ranks.ranked_subjects
    assert identification_interval(ranks, 1) == rate_interval(identification_influence(ranks, 1), known)
    few = SubjectRanks(25, ranks.subjects[:9], ranks.ranks[:9])
    assert np.isnan(identification_interval(few, 1).low)
    assert identification_interval(few, 1).value == np.mean(few.ranks == 1)


def test_a_change_of_two_rates_that_are_1_is_not_known_exactly() -> None:
    perfect = Influence(1.0, np.zeros(40), 0.0, 40)
    found = rate_change_interval(perfect, perfect)
    alone = rate_interval(perfect, 40)
    assert found.value == 0
    assert (found.low, found.high) == pytest.approx((alone.low - 1, 1 - alone.low))


def test_a_change_is_newcombes_where_each_subject_has_a_probe() -> None:
    """Of 100 pairs 50 are right both times, 30 before alone and 20 never; with the phi coefficient of the counts."""
    before = np.repeat([1, 1, 0, 0], [50, 30, 0, 20])
    after = np.repeat([1, 0, 1, 0], [50, 30, 0, 20])
    figures = [Influence(values.mean(), (values - values.mean()) / 99, 0.0, 100) for values in (after, before)]
    found = rate_change_interval(figures[0], figures[1])
    p, q = after.mean(), before.mean()
    (low, high), (other_low, other_high) = (rate_interval(each, 100)[2:4] for each in figures)
    rho = np.corrcoef(before, after)[0, 1]
    expected = (
        p - q - np.sqrt((p - low) ** 2 - 2 * rho * (p - low) * (other_high - q) + (other_high - q) ** 2),
        p - q + np.sqrt((high - p) ** 2 - 2 * rho * (high - p) * (q - other_low) + (q - other_low) ** 2),
    )
    assert (found.low, found.high) == pytest.approx(expected)
    # The two rates of the same people vary together: less than those of other people, and as the standard error says.
    difference = figures[0].minus(figures[1])
    assert found.error == pytest.approx(np.sqrt(variance(difference)))
    assert found.high - found.low == pytest.approx(2 * 1.984 * found.error, rel=0.03)
    apart = rate_change_interval(figures[0]._replace(by_subject=figures[0].by_subject[::-1]), figures[1])
    assert apart.high - apart.low > found.high - found.low


def test_a_change_is_unknown_below_ten_subjects() -> None:
    rate = Influence(0.5, np.full(8, 0.1), 0.0, 8)
    assert np.isnan(rate_change_interval(rate, rate).low)
    assert rate_change_interval(rate, rate._replace(value=0.25)).value == 0.25


def ranks_within(subjects: np.ndarray, photos: np.ndarray) -> SubjectRanks:
    photos = photos / np.linalg.norm(photos, axis=1, keepdims=True)
    scores, same = photos @ photos.T, subjects[:, None] == subjects
    np.fill_diagonal(scores, -2)
    best = np.where(same, scores, -2).max(1)
    return SubjectRanks(PEOPLE, subjects, 1 + ((scores > best[:, None]) & ~same).sum(1))


@cache
def coverage() -> dict[str, float]:
    """Draw groups, whose photos are compared with each other, and count how often intervals hold the mean rates.

    Some people look like many others; subjects are drawn anew as a gallery, too, which the intervals take as given.
    """
    rng = np.random.default_rng(1)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(DRAWS):
        subjects = np.repeat(np.arange(PEOPLE), rng.integers(2, 5, PEOPLE))
        own = rng.standard_normal((PEOPLE, LENGTH))
        own[:, 0] *= 2
        changed = 0.9 * own + 0.3 * rng.standard_normal((PEOPLE, LENGTH))
        noise = (rng.standard_normal((len(subjects), LENGTH)) for _ in range(2))
        before, after = (
            ranks_within(subjects, each[subjects] + 0.6 * apart)
            for each, apart in zip((own, changed), noise, strict=True)
        )
        moved = [identification_influence(each, 1) for each in (after, before)]
        change = rate_change_interval(moved[0], moved[1])
        for name, interval in {
            "rank 1": identification_interval(before, 1),
            "rank 5": identification_interval(before, 5),
            "rank 1, changed": identification_interval(after, 1),
            "change": change,
        }.items():
            found.setdefault(name, []).append((interval.value, interval.low, interval.high))
    held = {}
    for name, rows in found.items():
        values, low, high = np.array(rows).T
        held[name] = float(np.mean((low <= values.mean()) & (values.mean() <= high)))
    return held


@pytest.mark.parametrize("name", ["rank 1", "rank 5", "rank 1, changed", "change"])
def test_intervals_of_95_per_cent_hold_the_rate_about_as_often(name: str) -> None:
    assert 0.92 <= coverage()[name] <= 0.98
