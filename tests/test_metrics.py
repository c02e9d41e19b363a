"""The metrics, against SciPy, against closed forms, and against what the original program prints."""

import doctest
import importlib
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import kolmogorov
from scipy.stats import ks_2samp

from facepart.analysis.metrics import d_prime, kolmogorov_smirnov, kolmogorov_smirnov_p, mean_shift
from facepart.errors import FacepartError
from facepart.scores import ScoreDistribution

# Few values, so that ties within and between the sets are common, as in rounded scores.
SCORES = st.lists(st.integers(-20, 20).map(lambda step: step / 20), min_size=1, max_size=60)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of SciPy's p-value, for sets of few scores
@given(SCORES, SCORES)
def test_kolmogorov_smirnov_is_scipys(first: list[float], second: list[float]) -> None:
    assert kolmogorov_smirnov(first, second) == pytest.approx(
        ks_2samp(first, second, method="asymp").statistic, abs=1e-12
    )


@given(st.floats(0, 1), st.integers(1, 10**9), st.integers(1, 10**9))
def test_the_p_value_is_that_of_the_limiting_distribution(statistic: float, first: int, second: int) -> None:
    root = math.sqrt(first * second / (first + second))
    expected = kolmogorov((root + 0.12 + 0.11 / root) * statistic)
    assert kolmogorov_smirnov_p(statistic, first, second) == pytest.approx(expected, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize(("first", "second"), [(40, 60), (100, 5000), (3000, 20_000)])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.4])
def test_the_p_value_is_near_the_one_that_scipy_prints(first: int, second: int, shift: float) -> None:
    rng = np.random.default_rng(first)
    one, other = rng.normal(0, 1, first), rng.normal(shift, 1, second)
    expected = ks_2samp(one, other, method="asymp")
    found = kolmogorov_smirnov_p(expected.statistic, first, second)
    assert math.log(found) == pytest.approx(math.log(expected.pvalue), rel=0.02, abs=0.05)


def test_a_p_value_of_nothing_is_refused() -> None:
    for statistic, first, second in ((1.5, 3, 3), (math.nan, 3, 3), (0.5, 0, 3)):
        with pytest.raises(FacepartError, match="no statistic of"):
            kolmogorov_smirnov_p(statistic, first, second)


@given(SCORES, SCORES)
def test_d_prime_is_its_formula_and_symmetric(first: list[float], second: list[float]) -> None:
    # Sums of whole steps, so that the expectation is exact up to the last division and root.
    steps = [[round(20 * score) for score in scores] for scores in (first, second)]
    means = [sum(s) / len(s) for s in steps]
    variances = [sum((x - mean) ** 2 for x in s) / len(s) for s, mean in zip(steps, means, strict=True)]
    found = d_prime(first, second)
    assert found == d_prime(second, first)
    if sum(variances) > 1e-9:
        assert found == pytest.approx(abs(means[0] - means[1]) / math.sqrt(sum(variances) / 2), rel=1e-9, abs=1e-9)


def test_d_prime_of_normal_scores_is_their_distance() -> None:
    rng = np.random.default_rng(7)
    found = d_prime(rng.normal(3, 1, 400_000), rng.normal(0, 1, 400_000))
    assert found == pytest.approx(3, abs=0.02)


def test_d_prime_without_spread() -> None:
    assert d_prime([0.5, 0.5], [0.5]) == 0
    assert d_prime([0.5], [0.25, 0.25]) == math.inf


def test_mean_shift_has_a_sign() -> None:
    assert mean_shift([0.5, 0.7], [0.1, 0.3]) == pytest.approx(-0.4)
    assert mean_shift(before=[0.0], after=[0.25]) == 0.25


@given(SCORES, SCORES)
@example([0.0], [0.05, 0.05, 0.05])
def test_a_distribution_gives_what_its_scores_give(first: list[float], second: list[float]) -> None:
    counted = ScoreDistribution.of(first), ScoreDistribution.of(second)
    for metric in (d_prime, kolmogorov_smirnov, mean_shift):
        if metric is not d_prime or len(set(first + second)) > 1:
            assert metric(*counted) == pytest.approx(metric(first, second), rel=1e-9, abs=1e-12)
            assert metric(first, counted[1]) == pytest.approx(metric(first, second), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("metric", [d_prime, kolmogorov_smirnov, mean_shift])
@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([], "no scores"),
        ([0.1, float("nan"), float("inf")], "2 of 3 scores are not finite"),
        ([[0.1, 0.2]], "vector"),
        (["a"], "real numbers"),
    ],
)
def test_unusable_scores_are_refused_on_either_side(metric, scores, reason) -> None:
    for arguments in ((scores, [0.5, 0.6]), ([0.5, 0.6], scores)):
        with pytest.raises(FacepartError, match=reason):
            metric(*arguments)


@pytest.mark.parametrize(
    "module",
    [
        "auc",
        "dprime",
        "eer",
        "error_rates",
        "kolmogorov_smirnov",
        "mean",
        "mode",
        "operating_point",
        "shift",
        "wasserstein",
    ],
)
def test_examples_in_the_docstrings_run(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"facepart.analysis.metrics.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_the_original_programs_figures(shared: Path) -> None:
    golden = shared / "golden" / "match"
    text = (golden / "expected_statistics.txt").read_text()
    scores = {
        (run, kind): np.load(golden / run / f"CM_{kind}.npy")[:, 2]
        for run in ("within", "cross")
        for kind in ("authentic", "impostor")
    }

    def said(pattern: str) -> float:
        found = re.search(pattern, text)
        assert found, pattern
        return float(found.group(1))

    for name, run in (("original", "within"), ("cross", "cross")):
        expected = said(rf"d-prime for {name} is: (\S+)")
        assert d_prime(scores[run, "authentic"], scores[run, "impostor"]) == pytest.approx(expected, abs=1e-6)
    for kind in ("authentic", "impostor"):
        pair = scores["within", kind], scores["cross", kind]
        assert d_prime(*pair) == pytest.approx(said(rf"{kind} d-prime: (\S+)"), abs=1e-6)
        expected = said(rf"{kind} KS test: KstestResult\(statistic=np.float64\(([^)]+)\)")
        assert kolmogorov_smirnov(*pair) == pytest.approx(expected, abs=1e-6)
