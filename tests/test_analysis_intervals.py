"""Standard errors and intervals against SciPy."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from facepart.analysis.influence import Influence
from facepart.analysis.intervals import (
    interval,
    mean_interval,
    rate_interval,
    ratio_interval,
    t_quantile,
    variance,
)
from facepart.analysis.metrics import fmr_influence, impostor_mean_influence
from facepart.analysis.wilson import wilson_interval
from tests.people_scores import draw_photos, group_scores


def test_a_figure_has_no_interval_where_too_little_is_known() -> None:
    subjects, photos, _ = draw_photos(7, people=9)
    few = impostor_mean_influence(group_scores(subjects, photos))
    assert math.isnan(interval(few).low)
    assert interval(few).value == few.value
    subjects, photos, _ = draw_photos(7)
    group = group_scores(subjects, photos, lowest=200_000)
    below = rate_interval(fmr_influence(group, 0.1), 15)
    assert below.value == pytest.approx(float(group.scores.impostor.share_from(0.1)))
    assert math.isnan(below.low)


def test_the_variance_is_never_less_than_if_pairs_were_independent() -> None:
    """Leaving out what is counted twice may leave nothing."""
    assert variance(Influence(0, np.full(20, 0.1), 0.15, 20)) == 0.15
    assert variance(Influence(0, np.full(20, 0.1), 0.05, 20)) == pytest.approx(0.19 - 0.05)


@given(st.floats(0.5, 0.999), st.floats(2, 5000))
def test_quantiles_of_student_are_scipys(share: float, degrees: float) -> None:
    assert t_quantile(share, degrees) == pytest.approx(scipy.stats.t.ppf(share, degrees), rel=1e-6, abs=1e-9)


def test_quantiles_for_intervals() -> None:
    for degrees in (9, 20, 101, math.inf):
        expected = scipy.stats.t.ppf(0.975, degrees) if degrees < math.inf else scipy.stats.norm.ppf(0.975)
        assert t_quantile(0.975, degrees) == pytest.approx(expected, abs=1e-4)


def test_an_interval_of_independent_people_is_students() -> None:
    values = np.random.default_rng(0).normal(size=25)
    found = interval(Influence(values.mean(), (values - values.mean()) / 24, 0.0, 25))
    expected = scipy.stats.t.interval(0.95, 24, values.mean(), scipy.stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-4)


def test_a_rate_of_zero_has_an_interval_that_people_set() -> None:
    none = rate_interval(Influence(0.0, np.zeros(40), 0.0, 40), 20)
    assert (none.low, none.high) == wilson_interval(0.0, 0.0, 20, t_quantile(0.975, 39))
    assert 0.1 < none.high < 0.2


def test_a_ratio_has_the_interval_of_its_logarithm() -> None:
    before = Influence(0.01, np.random.default_rng(0).normal(0, 2e-4, 50), 0.0, 50)
    after = Influence(0.03, before.by_subject * 3, 0.0, 50)
    found = ratio_interval(after, before)
    # Both rates move in proportion for every person: their ratio does not move.
    assert (found.value, found.low, found.high) == pytest.approx((3, 3, 3))
    apart = ratio_interval(after._replace(by_subject=after.by_subject[::-1]), before)
    assert apart.low < 3 < apart.high
    assert apart.low * apart.high == pytest.approx(9)
    assert math.isnan(ratio_interval(after, before._replace(value=0.0)).value)


def test_a_mean_over_groups_has_the_degrees_of_freedom_of_welch() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.normal(0, 1, 12), rng.normal(3, 2, 30)
    figures = [Influence(v.mean(), (v - v.mean()) / (len(v) - 1), 0.0, len(v)) for v in (one, two)]
    found = mean_interval(figures)
    opposite = mean_interval([figures[0], figures[1]._replace(value=-two.mean())])
    welch = scipy.stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx((one.mean() + two.mean()) / 2)
    assert (2 * opposite.low, 2 * opposite.high) == pytest.approx((welch.low, welch.high), abs=1e-3)
    assert math.isnan(mean_interval([]).value)
