"""The figures of a report: those of the results, with their intervals, and nothing said that they do not hold."""

import dataclasses
import math
import re
from functools import partial

import pytest

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.ranking import Ranked
from facepart.report.content import Content
from facepart.report.markup import bracketed, plain, ranged, ranged_per_cent, signed
from facepart.report.page import render_report
from tests.report_content import make_content
from tests.report_page import Page

FEW = make_content(("all",), people=8, photos=1)


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


@pytest.fixture(scope="module")
def content() -> Content:
    return make_content(crossed=True, control=True)


@pytest.fixture(scope="module")
def page(content: Content) -> Page:
    return Page(render_report(content))


def test_figures_are_those_of_the_results(content: Content, page: Page) -> None:
    cells = {text for _, text in page.all("td")}
    for row in content.results:
        shown = {
            ranged(row.impostor_shift, partial(signed, decimals=4)),
            ranged(row.d_prime, plain),
            ranged(row.d_prime_change, signed),
            ranged_per_cent(row.fmr_at_baseline_1e3, 3),
            ranged(row.fmr_ratio_1e3, partial(plain, decimals=2)),
            ranged_per_cent(row.fnmr_1e3_baseline),
            ranged_per_cent(row.fnmr_1e3),
        }
        assert {text_of(figure) for figure in shown} <= cells
        if row.comparison == "within":
            assert {
                text_of(ranged(figure, partial(signed, decimals=4))) for figure in (row.control_shift, row.importance)
            } <= cells
    faces = [text for attributes, text in page.all("svg") if attributes["class"] == "picture" and "Average" in text]
    ranking = content.rankings["all"]
    assert len(faces) == len(ranking)
    for place, (text, ranked) in enumerate(zip(faces, ranking, strict=True), 1):
        assert f"place {place}," in text and signed(ranked.effect.value) in text
        assert ranked.part.replace("_", " and ") in text
    headings = [text for _, text in page.all("h3")]
    first = headings.index(f"1. {ranking[0].part.replace('_', ' and ')}")
    assert headings[first : first + len(ranking)] == [
        f"{place}. {ranked.part.replace('_', ' and ')}" for place, ranked in enumerate(ranking, 1)
    ]


def answer_of(content: Content) -> str:
    return next(
        text for attributes, text in Page(render_report(content)).all("p") if attributes.get("class") == "answer"
    )


def test_the_answer_says_how_sure_it_is(content: Content) -> None:
    first = content.rankings["all"][0]
    said = answer_of(content)
    assert f"by {signed(first.effect.value)} {bracketed(first.effect, signed)}" in said
    assert "It comes first in 100\u00a0% of resamplings" in said and first.ranked_first == 1
    assert "beyond what other places of the same size do" in said


def test_ties_and_doubts_are_told() -> None:
    content = make_content(("CM",), ("nose", "hair"), people=30)
    nose = Ranked("nose", Interval(0.05, 0.01, 0.03, 0.07), 0.61, Interval(0.01, 0.01, -0.01, 0.03))
    hair = Ranked("hair", Interval(0.04, 0.01, 0.02, 0.06), 0.39, UNKNOWN)
    tied = dataclasses.replace(content, rankings={"CM": [nose, hair]})
    said = answer_of(tied)
    assert "61\u00a0% of resamplings" in said
    assert "cannot be told apart from the next, the hair: their difference is +0.010 [−0.010, +0.030]" in said
    assert "≈ +0.0100 [−0.0100, +0.0300]" in [text for _, text in Page(render_report(tied)).all("td")]
    apart = dataclasses.replace(
        content, rankings={"CM": [dataclasses.replace(nose, difference_to_next=Interval(0.01, 0, 0.01, 0.01)), hair]}
    )
    assert "told apart" not in answer_of(apart)
    doubtful = dataclasses.replace(nose, effect=Interval(0.05, 0.03, -0.01, 0.11))
    assert "not certain" in answer_of(dataclasses.replace(content, rankings={"CM": [doubtful, hair]}))
    assert "fewer than 10 people" in answer_of(FEW)


def test_a_ranking_of_falls_and_of_nothing_known() -> None:
    content = make_content(("CM",), ("nose", "hair"), people=30)
    worths = [UNKNOWN._replace(value=value) for value in (-0.02, -0.05)]
    ranking = [Ranked(part, worth, math.nan, UNKNOWN) for part, worth in zip(("hair", "nose"), worths, strict=True)]
    fell = dataclasses.replace(content, rankings={"CM": ranking})
    assert "No part’s loss raised the mean impostor score" in answer_of(fell)
    unknown = [dataclasses.replace(ranked, effect=UNKNOWN) for ranked in ranking]
    assert "too few scores" in answer_of(dataclasses.replace(content, rankings={"CM": unknown}))


def test_bars_are_as_long_as_the_worths_and_whiskers_as_their_intervals(content: Content) -> None:
    bars = render_report(content).split('<svg class="bars"')[1].split("</svg>")[0]
    drawn = re.findall(r'<rect class="g(\d)" x="(-?[\d.]+)%" y="\d+" width="([\d.]+)%"', bars)
    whiskers = re.findall(r'<line class="whisker" x1="(-?[\d.]+)%" x2="(-?[\d.]+)%" y1="([\d.]+)" y2="\3"', bars)
    raw = re.findall(r'<circle class="raw" cx="(-?[\d.]+)%"', bars)
    rows = {(row.group, row.part): row for row in content.results if row.comparison == "within"}
    expected = [
        (number, rows[group.name, ranked.part])
        for ranked in content.rankings["all"]
        for number, group in enumerate(content.groups)
    ]
    worths = [row.importance for _, row in expected]
    zero = float(re.findall(r'x1="([\d.]+)%"', bars)[0])
    # The longest bar rises.
    scale = max(float(width) for _, _, width in drawn) / max(worth.value for worth in worths)
    assert min(worth.value for worth in worths) < 0
    for (colour, x, width), (number, row), ends, circle in zip(drawn, expected, whiskers, raw, strict=True):
        worth = row.importance
        assert int(colour) == number
        assert float(width) == pytest.approx(abs(worth.value) * scale, abs=0.02)
        assert float(x) == pytest.approx(zero + min(worth.value, 0) * scale, abs=0.03)
        for end, value in zip((*ends[:2], circle), (worth.low, worth.high, row.impostor_shift.value), strict=True):
            assert float(end) == pytest.approx(zero + value * scale, abs=0.04)


def test_groups_without_authentic_scores_and_figures_without_enough() -> None:
    html = render_report(FEW)
    page = Page(html)
    assert "nan" not in re.sub(r"data:image/jpeg;base64,[^\"]+", "", html).lower().replace("finan", "")
    assert html.count("No authentic scores, and so no ROC curve.") == len(FEW.parts)
    assert "nobody there has two photos" in html
    assert page.data()["originals"][0]["authentic"] == 0
    assert math.isnan(FEW.results[0].fnmr_1e3.value) and math.isnan(FEW.results[0].fmr_at_baseline_1e3.value)
