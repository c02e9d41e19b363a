"""Numbers as a report writes them, beside texts written by hand."""

import math
import re

import pytest
from markupsafe import Markup

from facepart.analysis.intervals import Interval
from facepart.report.formatting import capitalised, listed, per_cent_ci, plain_ci, quoted, ratio_ci, signed_ci


def figure(value: float, low: float, high: float) -> Interval:
    return Interval(value, math.nan, low, high, 50.0)


def text_of(html: Markup) -> str:
    return re.sub(r"<[^>]+>", "", html).replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.12345, 0.10999, 0.13691, "+0.123 [+0.110, +0.137]"),
        (-0.0204, -0.0352, -0.0056, "-0.020 [-0.035, -0.006]"),
        (0.5, -0.5, 1.5, "+0.5 [-0.5, +1.5]"),
        (37.0, 3.0, 71.0, "+37 [+3, +71]"),
        (0.0239, 0.0002, 0.0466, "+0.024 [+0.000, +0.047]"),  # an end that is rounded shows on which side of 0 it is
        (0.0401, -0.0001, 0.0803, "+0.040 [-0.000, +0.080]"),
    ],
)
def test_changes(value: float, low: float, high: float, text: str) -> None:
    assert text_of(signed_ci(figure(value, low, high), 3)) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (5.8642, 5.3101, 6.4183, "5.86 [5.31, 6.42]"),
        (0.71, 0.01, 1.0, "0.71 [0.01, 1.00]"),
        (1.0, 0.4, 1.0, "1.00 [0.40, 1.00]"),  # at the end of its range
    ],
)
def test_numbers(value: float, low: float, high: float, text: str) -> None:
    assert text_of(plain_ci(figure(value, low, high), 3)) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.012, 0.009, 0.016, "1.20 % [0.90, 1.60]"),
        (0.0010, 0.00004, 0.02, "0.100 % [0.004, 2.000]"),  # the lower end is not 0
        (0.0, 0.0, 0.0231, "0.0 % [0.0, 2.3]"),
        (0.46, 0.31, 0.62, "46 % [31, 62]"),
    ],
)
def test_rates(value: float, low: float, high: float, text: str) -> None:
    assert text_of(per_cent_ci(figure(value, low, high), 3)) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (11.0, 1.04, 118.0, "11.00 [1.04, 118.00]"),  # 1 is outside
        (0.9, 0.03, 25.0, "0.90 [0.03, 25.00]"),
        (2.31, 1.72, 3.11, "2.31 [1.72, 3.11]"),
    ],
)
def test_ratios_show_both_ends_of_a_logarithmic_interval(value: float, low: float, high: float, text: str) -> None:
    assert text_of(ratio_ci(figure(value, low, high))) == text


def test_a_figure_without_a_ci_says_why() -> None:
    few = Interval(0.25, math.nan, math.nan, math.nan, 2.94)
    other = Interval(0.25, math.nan, math.nan, math.nan, 40.0, no_ci="a rate is 0")
    assert text_of(plain_ci(few)) == "0.250 no CI: 2.9 effective subjects"
    assert text_of(ratio_ci(other)) == "0.25 no CI: a rate is 0"
    assert text_of(per_cent_ci(other)) == "25.00 % no CI: a rate is 0"


def test_a_single_label_with_an_and_is_quoted_in_a_list() -> None:
    assert listed(["eyes and brows"]) == quoted("eyes and brows") == "“eyes and brows”"
    assert listed(["nose"]) == quoted("nose") == "nose" and listed([]) == ""
    assert [capitalised(text) for text in ("“eyes and brows”", "nose of A", "")] == [
        "“Eyes and brows”",
        "Nose of A",
        "",
    ]
