"""Kendall's tau-b, against SciPy; W is tested with the agreement of recognisers."""

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from facepart.analysis.metrics import kendall_tau, rank_agreement
from facepart.errors import FacepartError

# Few values, so that ties are common.
PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of SciPy's p-value, for few items
@given(PAIRS)
def test_tau_is_scipys(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = kendall_tau(first, second)
    assert found == pytest.approx(kendalltau(first, second).statistic, abs=1e-12, nan_ok=True)
    if not math.isnan(found):
        assert kendall_tau(second, [-3 * value for value in first]) == -found
        assert kendall_tau(first, first) == 1


def test_differences_that_vanish_still_order() -> None:
    assert kendall_tau([0, 5e-324, 1e-323], [1e300, 0.0, -1e300]) == -1


def test_no_order_no_agreement() -> None:
    assert math.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ([1, 2], [1, 2, 3], "here are 2 and 3 values"),
        ([1], [1], "two items"),
        ([], [], "first ranking"),
        ([1, 2], [1, math.nan], "second ranking: 1 of 2 scores are not finite"),
    ],
)
def test_what_is_no_pair_of_rankings_is_refused(first, second, reason) -> None:
    with pytest.raises(FacepartError, match=reason):
        kendall_tau(first, second)


def test_the_example_in_the_docstring_runs() -> None:
    found = doctest.testmod(rank_agreement)
    assert found.attempted > 0
    assert found.failed == 0
