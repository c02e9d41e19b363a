"""Error rates, EER, AUC and operating points, against scikit-learn and SciPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.stats import norm, wasserstein_distance
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from facepart.analysis.metrics import (
    auc,
    eer,
    error_rates,
    fmr,
    fnmr,
    fnmr_at_fmr,
    operating_point,
    supports,
    threshold_at_fmr,
    tmr_at_fmr,
    wasserstein,
)
from facepart.analysis.metrics.tally import Scores
from facepart.errors import FacepartError, UsageError
from facepart.scores import ScoreDistribution

# Few values, so that ties within and between the sets are common.
SETS = st.lists(st.integers(-10, 10).map(lambda step: step / 16), min_size=1, max_size=60)


def labelled(authentic, impostor) -> tuple[np.ndarray, np.ndarray]:
    return np.r_[np.ones(len(authentic)), np.zeros(len(impostor))], np.r_[authentic, impostor]


@given(SETS, SETS)
def test_the_curves_are_scikit_learns(authentic: list[float], impostor: list[float]) -> None:
    for forms in ((authentic, impostor), (ScoreDistribution.of(authentic), ScoreDistribution.of(impostor))):
        rates = error_rates(*forms)
        false, true, thresholds = roc_curve(*labelled(authentic, impostor), drop_intermediate=False)
        np.testing.assert_allclose(rates.thresholds[::-1], thresholds)
        np.testing.assert_allclose(rates.fmr[::-1], false, atol=1e-12)
        np.testing.assert_allclose(1 - rates.fnmr[::-1], true, atol=1e-12)
        assert auc(*forms) == pytest.approx(roc_auc_score(*labelled(authentic, impostor)), abs=1e-12)
        # On an upright stretch of the curve interpolation over FMR is not unique, and SciPy's takes either end.
        if len(set(false)) == len(false):
            missed = interp1d(false, 1 - true)
            assert eer(*forms) == pytest.approx(brentq(lambda x, missed=missed: missed(x) - x, 0, 1), abs=1e-9)
        assert wasserstein(*forms) == pytest.approx(wasserstein_distance(authentic, impostor), abs=1e-12)


def test_det_points_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    authentic, impostor = rng.normal(1, 1, 300).round(2), rng.normal(0, 1, 500).round(2)
    false, missed, thresholds = det_curve(*labelled(authentic, impostor))
    np.testing.assert_allclose(fmr(impostor, thresholds), false)
    np.testing.assert_allclose(fnmr(authentic, thresholds), missed)


def test_normal_scores_have_the_eer_and_auc_that_theory_gives() -> None:
    rng = np.random.default_rng(1)
    authentic, impostor = (ScoreDistribution.of(rng.normal(mean, 0.1, 300_000)) for mean in (0.3, 0.0))
    assert eer(authentic, impostor) == pytest.approx(norm.cdf(-1.5), abs=1e-3)
    assert auc(authentic, impostor) == pytest.approx(norm.cdf(3 / math.sqrt(2)), abs=5e-4)
    assert fnmr_at_fmr(authentic, impostor, 0.01) == pytest.approx(norm.cdf(norm.isf(0.01) - 3), abs=5e-3)


def test_sets_that_are_apart_have_no_errors_and_swapped_ones_all() -> None:
    low, high = [0.1, 0.2, 0.2], [0.5, 0.6]
    assert (eer(high, low), auc(high, low)) == (0, 1)
    assert (eer(low, high), auc(low, high)) == (1, 0)
    assert eer(low, low) == pytest.approx(0.5)
    assert auc(low, low) == 0.5


@given(SETS, st.floats(0.01, 0.99))
def test_the_threshold_at_an_fmr_is_the_lowest(impostor: list[float], target: float) -> None:
    scores = np.array(impostor)
    for given_scores, step in ((impostor, None), (ScoreDistribution.of(impostor), 1e-6)):
        found = threshold_at_fmr(given_scores, target)
        assert fmr(given_scores, found) <= target
        below = found - step if step else math.nextafter(found, -math.inf)
        assert np.mean(scores >= below - 1e-12) > target


def test_a_rate_that_is_just_reached_counts_as_reached() -> None:
    # 0.1 * 30 is 3.0000000000000004 in floats, and 1e-6 of ten million may be just below ten.
    impostor = np.arange(30) / 100
    assert fmr(impostor, threshold_at_fmr(impostor, 0.1)) == 0.1
    ten_million = ScoreDistribution(np.arange(10, dtype=np.int32), np.full(10, 1_000_000))
    assert supports(ten_million, 1e-6)
    assert not supports(ten_million, 0.99e-6)


def test_a_billionth_keeps_its_digits() -> None:
    impostor = ScoreDistribution(np.array([0, 900_000], np.int32), np.array([2_999_999_999, 1]))
    assert fmr(impostor, 0.5) == 1 / 3_000_000_000
    assert threshold_at_fmr(impostor, 3e-10) == 0.900001
    assert threshold_at_fmr(impostor, 4e-10) == 0.000001


@given(SETS, SETS, st.sampled_from([0.02, 0.2, 0.5]))
def test_operating_points_are_those_of_the_roc_curve(
    authentic: list[float], impostor: list[float], target: float
) -> None:
    impostor = 30 * impostor
    point = operating_point(authentic, impostor, target)
    if target * len(impostor) < 10:
        assert point is None
        assert fnmr_at_fmr(authentic, impostor, target) is None
        assert tmr_at_fmr(ScoreDistribution.of(authentic), ScoreDistribution.of(impostor), target) is None
        return
    assert point is not None
    false, true, _ = roc_curve(*labelled(authentic, impostor), drop_intermediate=False)
    assert point.fmr == pytest.approx(false[false <= target + 1e-12].max())
    assert 1 - point.fnmr == pytest.approx(true[false <= target + 1e-12].max())
    assert tmr_at_fmr(authentic, impostor, target) == 1 - point.fnmr
    counted = operating_point(ScoreDistribution.of(authentic), ScoreDistribution.of(impostor), target)
    assert counted is not None
    assert counted[1:] == point[1:]
    assert counted.threshold == pytest.approx(point.threshold, abs=1e-6)


@pytest.mark.parametrize("target", [0, 1, -0.1, 2, math.nan])
def test_rates_that_are_none_are_refused(target: float) -> None:
    with pytest.raises(UsageError, match="an FMR lies between 0 and 1"):
        threshold_at_fmr([0.1, 0.2], target)


@pytest.mark.parametrize("metric", [auc, eer, error_rates, wasserstein])
def test_no_scores_are_refused_on_either_side(metric) -> None:
    none, some = ScoreDistribution.of([]), ScoreDistribution.of([0.5])
    pairs: list[tuple[Scores, Scores]] = [(none, some), (some, none), ([], some), (some, [math.nan])]
    for pair in pairs:
        with pytest.raises(FacepartError):
            metric(*pair)
