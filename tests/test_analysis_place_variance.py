"""The variance of the places, against brute force: all samples of a few places, and simulated studies."""

import math
from itertools import product

import numpy as np
import pytest
import scipy.stats

from facepart.analysis.place_variance import VarianceComponent, add_components, place_variance


@pytest.mark.parametrize("draws", [2, 3, 4])
def test_the_variance_of_the_mean_over_all_samples(draws):
    """The mean of the estimates over all samples of independent draws is the variance of their means."""
    places = np.random.default_rng(draws).gamma(1.0, 0.02, 7)
    samples = [list(each) for each in product(places, repeat=draws)]
    estimates = [place_variance(each) for each in samples]
    assert all(each.degrees == draws - 1 for each in estimates)
    assert np.mean([each.variance for each in estimates]) == pytest.approx(np.var(np.mean(samples, axis=1)))


def test_a_single_draw_tells_nothing():
    assert math.isnan(place_variance([0.1]).variance)
    assert math.isnan(place_variance([0.1]).degrees)


def test_added_components():
    total = add_components([VarianceComponent(2.0, 4), VarianceComponent(1.0, 50), VarianceComponent(0.0, math.inf)])
    assert total.variance == 3.0
    assert total.degrees == pytest.approx(9 / (4 / 4 + 1 / 50))
    assert add_components([VarianceComponent(0.0, math.inf)]) == VarianceComponent(0.0, math.inf)
    assert math.isnan(add_components([VarianceComponent(1.0, 9), VarianceComponent(math.nan, math.nan)]).variance)


@pytest.mark.parametrize(("between_places", "between_subjects"), [(1.0, 0.1), (1.0, 1.0), (0.0, 1.0), (0.3, 1.0)])
def test_the_interval_holds_the_truth_in_95_percent_of_studies(between_places, between_subjects):
    """Simulated: 5 draws of the places, 30 subjects whose shifts differ at each place."""
    rng = np.random.default_rng(3)
    draws, subjects, studies = 5, 30, 2000
    held = 0
    for _ in range(studies):
        effects = rng.normal(0.2, between_places, draws)
        part = rng.normal(0.7, between_subjects * math.sqrt(subjects), subjects)
        controls = effects + rng.normal(0, between_subjects * math.sqrt(subjects), (subjects, draws))
        contrast = part - controls.mean(axis=1)
        own = VarianceComponent(contrast.var(ddof=1) / subjects, subjects - 1)
        total = add_components([own, place_variance(controls.mean(axis=0))])
        reach = scipy.stats.t.ppf(0.975, total.degrees) * math.sqrt(total.variance)
        held += abs(contrast.mean() - 0.5) <= reach
    assert 0.935 <= held / studies <= 0.975
