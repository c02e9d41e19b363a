"""The figures that compare groups, on rates that NIST published, against SciPy, and by their definitions."""

import doctest
import importlib
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gmean

from facepart.analysis.metrics import fairness_discrepancy_rate, garbe, gini, inequity, max_min_ratio
from facepart.errors import FacepartError, UsageError

RATES = st.lists(st.integers(0, 40).map(lambda step: step / 40), min_size=2, max_size=9)

# Annex 15 of NIST IR 8280 (FRVT Part 3: Demographic Effects), algorithm didiglobalface-001, out of the data that the
# paper on GARBE is about: women, then men, American Indian, Asian, Black and White. FMRs are powers of ten there.
NIST_FMR_POWERS = [-3.3, -4.5, -4.1, -5.0, -3.7, -5.0, -5.0, -5.0]
NIST_FMRS = [10**power for power in NIST_FMR_POWERS]
NIST_FNMRS = [0.0033, 0.0052, 0.0011, 0.0021, 0.0050, 0.0031, 0.0011, 0.0036]


def test_rates_of_nist_by_hand() -> None:
    # The powers sum to -35.6, so the geometric mean of eight is 10^-4.45; the largest over it 10^(4.45 - 3.3).
    assert inequity(NIST_FMRS) == pytest.approx(10**1.15)
    assert max_min_ratio(NIST_FMRS) == pytest.approx(10**1.7)
    assert max_min_ratio(NIST_FNMRS) == pytest.approx(52 / 11)

    # FNMRs ascending in 1e-4: 11 11 21 31 33 36 50 52, sum 245. Each of 28 differences once:
    # -7*11 - 5*11 - 3*21 - 31 + 33 + 3*36 + 5*50 + 7*52 = 529, so the double sum is 1058, and
    # 8/7 * 1058 / (2 * 64 * 245/8) = 529 / (7 * 245).
    assert gini(NIST_FNMRS) == pytest.approx(529 / 1715)
    # FMRs in 1e-5: 1 1 1 1 3.16228 7.94328 19.95262 50.11872, sum 85.17690; likewise
    # -7 - 5 - 3 - 1 + 3.16228 + 3*7.94328 + 5*19.95262 + 7*50.11872 = 461.58626.
    assert gini(NIST_FMRS) == pytest.approx(461.58626 / (7 * 85.17690), rel=1e-6)
    assert garbe(NIST_FMRS, NIST_FNMRS) == pytest.approx((0.774164 + 0.308455) / 2, abs=1e-6)
    assert garbe(NIST_FMRS, NIST_FNMRS, alpha=0.25) == pytest.approx(0.25 * 0.774164 + 0.75 * 0.308455, abs=1e-6)

    # A = 5.011872e-4 - 1e-5, B = 0.0052 - 0.0011.
    assert fairness_discrepancy_rate(NIST_FMRS, NIST_FNMRS) == pytest.approx(1 - (0.0004911872 + 0.0041) / 2)
    assert fairness_discrepancy_rate(NIST_FMRS, NIST_FNMRS, alpha=1) == pytest.approx(1 - 0.0004911872)


@given(RATES)
def test_inequity_is_the_maximum_over_scipys_geometric_mean(rates: list[float]) -> None:
    if min(rates) == 0:
        assert math.isnan(inequity(rates))
        assert math.isnan(max_min_ratio(rates))
        return
    assert inequity(rates) == pytest.approx(max(rates) / gmean(rates))
    assert 1 <= inequity(rates) <= max_min_ratio(rates)
    assert inequity(rates[:1] * 3) == 1


def test_inequity_of_rates_whose_product_vanishes() -> None:
    assert inequity([1e-300, 1e-300, 1e-294]) == pytest.approx(1e4)


@given(RATES)
def test_gini_is_what_the_lorenz_curve_gives(rates: list[float]) -> None:
    if max(rates) == 0:
        assert math.isnan(gini(rates))
        return
    # Twice the area between the diagonal and the shares of all errors that the groups with fewest have.
    lorenz = np.r_[0, np.cumsum(sorted(rates))] / sum(rates)
    area = np.trapezoid(lorenz, dx=1 / len(rates))
    assert gini(rates) == pytest.approx((1 - 2 * area) * len(rates) / (len(rates) - 1), abs=1e-12)
    assert gini([rate / 8 for rate in reversed(rates)]) == pytest.approx(gini(rates))


@pytest.mark.parametrize("groups", [2, 3, 8])
def test_gini_runs_from_equal_rates_to_one_group_with_all_errors(groups: int) -> None:
    assert gini([0.001] * groups) == 0
    assert gini([0.001] + [0] * (groups - 1)) == 1
    assert garbe([0.3] * groups, [0.1] + [0] * (groups - 1), alpha=0.25) == pytest.approx(0.75)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=6), st.floats(0, 1))
def test_fairness_discrepancy_is_its_definition(steps: list[tuple[int, int]], alpha: float) -> None:
    fmrs, fnmrs = ([step / 40 for step in column] for column in zip(*steps, strict=True))
    widest = [max(abs(one - other) for one, other in product(rates, rates)) for rates in (fmrs, fnmrs)]
    found = fairness_discrepancy_rate(fmrs, fnmrs, alpha)
    assert found == pytest.approx(1 - (alpha * widest[0] + (1 - alpha) * widest[1]), abs=1e-12)
    assert 0 <= found <= 1


def test_without_errors_ratios_are_not_known_and_differences_are() -> None:
    none, some = [0.0, 0.0], [0.1, 0.2]
    assert math.isnan(gini(none))
    assert math.isnan(garbe(none, some))
    assert math.isnan(garbe(some, none))
    assert fairness_discrepancy_rate(none, none) == 1


@pytest.mark.parametrize("figure", [inequity, max_min_ratio, gini])
@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        ([], "from two on, here is 0"),
        ([0.1], "from two on, here is 1"),
        ([0.1, 1.5], "group 2 is 1.5; a rate lies from 0 to 1"),
        ([-0.1, 0.5], "group 1 is -0.1"),
        ([0.1, math.nan], "group 2 is nan"),
        ([[0.1, 0.2]], "vector"),
        (["a", "b"], "real numbers"),
    ],
)
def test_rates_that_are_none_are_refused(figure, rates, reason) -> None:
    with pytest.raises(FacepartError, match=reason):
        figure(rates)
    for both in (garbe, fairness_discrepancy_rate):
        for arguments in ((rates, [0.1, 0.2]), ([0.1, 0.2], rates)):
            with pytest.raises(FacepartError, match=reason):
                both(*arguments)


@pytest.mark.parametrize("figure", [garbe, fairness_discrepancy_rate])
def test_rates_of_other_groups_and_weights_that_are_none_are_refused(figure) -> None:
    with pytest.raises(FacepartError, match="here are 2 and 3"):
        figure([0.1, 0.2], [0.1, 0.2, 0.3])
    for alpha in (-0.1, 1.1, math.nan):
        with pytest.raises(UsageError, match="alpha"):
            figure([0.1, 0.2], [0.1, 0.2], alpha)


@pytest.mark.parametrize("module", ["inequity", "garbe", "fairness_discrepancy"])
def test_examples_in_the_docstrings_run(module: str) -> None:
    found = doctest.testmod(importlib.import_module(f"facepart.analysis.metrics.{module}"))
    assert found.attempted > 0
    assert found.failed == 0
