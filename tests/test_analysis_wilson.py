"""The Wilson interval of dependent scores: SciPy's where they are independent, and what dependence does to it."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm

from facepart.analysis import wilson
from facepart.analysis.wilson import effective_number, wilson_interval
from facepart.errors import FacepartError

NORMAL_95 = float(norm.ppf(0.975))
RATES = st.sampled_from([0.0, 1.0]) | st.floats(1e-6, 1 - 1e-6)


@given(st.integers(1, 1_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_independent_scores_have_the_classical_interval(errors_of: tuple[int, int]) -> None:
    errors, n = errors_of
    rate = errors / n
    expected = binomtest(errors, n).proportion_ci(method="wilson")
    found = wilson_interval(rate, rate * (1 - rate) / n, units=n, quantile=NORMAL_95)
    assert found == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-15)


def test_scores_that_repeat_a_person_count_once() -> None:
    # 40 people with 30 scores each that all come out alike: 3 people's are wrong. The mean of a person's scores has
    # the variance of one score, and the rate that over 40.
    rate = 3 / 40
    expected = binomtest(3, 40).proportion_ci(method="wilson")
    assert wilson_interval(rate, rate * (1 - rate) / 40, units=1, quantile=NORMAL_95) == pytest.approx(
        tuple(expected)
    )
    assert effective_number(rate, rate * (1 - rate) / 40, units=1) == pytest.approx(40)


@given(RATES, st.floats(1, 1e9), st.floats(1, 1e9), st.floats(0.5, 5))
def test_the_ends_are_the_rates_that_a_score_test_just_keeps(
    rate: float, worth: float, units: float, quantile: float
) -> None:
    variance = rate * (1 - rate) / worth
    low, high = wilson_interval(rate, variance, units, quantile)
    assert 0 <= low <= rate * (1 + 1e-12)
    assert rate <= high * (1 + 1e-12) <= 1 + 1e-12
    n = effective_number(rate, variance, units)
    for end in (low, high):
        if end not in (0, 1):
            assert (rate - end) ** 2 == pytest.approx(quantile**2 * end * (1 - end) / n, rel=1e-6, abs=1e-12)
    mirrored = wilson_interval(1 - rate, variance, units, quantile)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


@given(st.floats(0.001, 0.999), st.floats(1e-9, 0.2))
def test_more_variance_more_width(rate: float, variance: float) -> None:
    low, high = wilson_interval(rate, variance, 1, NORMAL_95)
    wider = wilson_interval(rate, 2 * variance, 1, NORMAL_95)
    assert effective_number(rate, variance, 1) >= 1
    if effective_number(rate, variance, 1) > 1:
        assert wider[0] < low < high < wider[1]


def test_a_billionth_keeps_its_digits() -> None:
    # Far below n* = 1e12 of it, the interval is the symmetric one.
    error = math.sqrt(1e-9 / 1e12)
    low, high = wilson_interval(1e-9, error**2, 1, NORMAL_95)
    assert low == pytest.approx(1e-9 - NORMAL_95 * error, rel=1e-2)
    assert (1e-9 - low) ** 2 == pytest.approx(NORMAL_95**2 * low / 1e12, rel=1e-6)
    assert (high - 1e-9) ** 2 == pytest.approx(NORMAL_95**2 * high / 1e12, rel=1e-6)


def test_without_errors_the_units_decide() -> None:
    for rate in (0.0, 1.0):
        assert effective_number(rate, 0, units=50) == 50
        assert effective_number(rate, 0.1, units=50) == 50
    assert effective_number(0.5, 0, units=50) == 50
    expected = binomtest(0, 50).proportion_ci(method="wilson")
    assert wilson_interval(0, 0, 50, NORMAL_95) == pytest.approx((0, expected.high))
    assert wilson_interval(1, 0, 50, NORMAL_95) == pytest.approx((1 - expected.high, 1))


@pytest.mark.parametrize("people", [2, 5, 30])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.95])
def test_an_fmr_is_worth_half_its_people_at_least(people: int, share: float) -> None:
    # A pair is a false match if both are of a kind that `share` of people are: as dependent as an FMR gets.
    kinds = np.arange(people + 1)
    rates, chances = kinds * (kinds - 1) / (people * (people - 1)), binom.pmf(kinds, people, share)
    mean = float(rates @ chances)
    assert mean == pytest.approx(share**2)
    assert effective_number(mean, float((rates - mean) ** 2 @ chances), units=1) >= people / 2 * (1 - 1e-12)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((-0.1, 0.1, 10, 2), "rate"),
        ((math.nan, 0.1, 10, 2), "rate"),
        ((0.1, -1e-9, 10, 2), "variance"),
        ((0.1, math.inf, 10, 2), "variance"),
        ((0.1, math.nan, 10, 2), "variance"),
        ((0.1, 0.1, 0, 2), "units"),
        ((0.1, 0.1, math.nan, 2), "units"),
        ((0.1, 0.1, 10, 0), "quantile"),
        ((1, 0.1, 10, math.nan), "quantile"),
    ],
)
def test_what_gives_no_interval_is_refused(arguments: tuple[float, float, float, float], reason: str) -> None:
    with pytest.raises(FacepartError, match=reason):
        wilson_interval(*arguments)


def test_the_example_in_the_docstring_runs() -> None:
    found = doctest.testmod(wilson)
    assert found.attempted > 0
    assert found.failed == 0
