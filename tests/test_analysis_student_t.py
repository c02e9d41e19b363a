"""Student's t against SciPy, and where SciPy loses digits, against the closed form."""

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student

from facepart.analysis import student_t
from facepart.analysis.student_t import t_tail, two_sided_p, upper_quantile

DEGREES = [1.0, 2.5, 8.3, 9.0, 29.0, 1e3, 31_705.0, 2e6]


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("t", [0.0, 0.01, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 20.0, 35.0])
def test_tails_are_scipys(t: float, degrees: float) -> None:
    assert t_tail(t, degrees) == pytest.approx(student.sf(t, degrees), rel=1e-8)
    assert t_tail(-t, degrees) == pytest.approx(student.cdf(t, degrees), rel=1e-8)


@given(st.floats(0, 1e4))
def test_one_degree_of_freedom_is_cauchys_distribution(t: float) -> None:
    assert t_tail(t, 1) == pytest.approx(math.atan2(1, t) / math.pi, rel=1e-12)


@given(st.floats(0, 1e3))
def test_two_degrees_of_freedom_by_their_closed_form(t: float) -> None:
    root = math.sqrt(2 + t * t)
    assert t_tail(t, 2) == pytest.approx(1 / (root * (root + t)), rel=1e-12)


def test_infinite_degrees_are_the_normal_distribution() -> None:
    for t in (-1.0, 0.3, 6.0):
        assert t_tail(t, math.inf) == pytest.approx(norm.sf(t), rel=1e-12)
    assert t_tail(math.inf, 9) == 0
    assert t_tail(-math.inf, 9) == 1


@pytest.mark.parametrize("degrees", [*DEGREES, math.inf])
@pytest.mark.parametrize("tail", [0.5, 0.3, 0.025, 0.05 / 42, 1e-9])
def test_quantiles_are_scipys(tail: float, degrees: float) -> None:
    expected = norm.isf(tail) if math.isinf(degrees) else student.isf(tail, degrees)
    assert upper_quantile(tail, degrees) == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_p_values_of_figures() -> None:
    assert two_sided_p(-0.3, 0.1, 11) == pytest.approx(2 * student.sf(3, 11))
    assert two_sided_p(0.0, 0.1, 11) == 1
    assert (two_sided_p(0.2, 0.0, 11), two_sided_p(0.0, 0.0, 11)) == (0, 1)
    assert math.isnan(two_sided_p(0.2, math.nan, math.nan))


def test_the_examples_in_the_docstrings_run() -> None:
    found = doctest.testmod(student_t)
    assert found.attempted > 0
    assert found.failed == 0
