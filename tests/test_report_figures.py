"""The figures of a report: those of the results, with their intervals, and nothing said that they do not hold."""

import dataclasses
import math
import re

import pytest

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.metrics import DISTANCES, METRICS, Distance, Metric, wasserstein
from facepart.analysis.ranking import Ranked
from facepart.occlusion.parts import PARTS
from facepart.report.formatting import per_cent_ci, plain, plain_ci, signed, signed_ci, signed_interval
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from tests.report_data import make_data
from tests.report_page import Page

FEW = make_data(("all",), people=8, photos=1)


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


@pytest.fixture(scope="module")
def data() -> ReportData:
    return make_data(crossed=True, control=True)


@pytest.fixture(scope="module")
def page(data: ReportData) -> Page:
    return Page(render_report(data))


def test_figures_are_those_of_the_results(data: ReportData, page: Page) -> None:
    cells = {text for _, text in page.all("td")}
    for row in data.results:
        shown = {
            signed_ci(row.impostor_shift, 4),
            plain_ci(row.d_prime),
            signed_ci(row.d_prime_change),
            per_cent_ci(row.fmr_at_baseline_1e3, 3),
            plain_ci(row.fmr_ratio_1e3, 2),
            per_cent_ci(row.fnmr_1e3_baseline),
            per_cent_ci(row.fnmr_1e3),
        }
        assert {text_of(figure) for figure in shown} <= cells
        if row.comparison == "within":
            assert {text_of(signed_ci(figure, 4)) for figure in (row.control_shift, row.importance)} <= cells
    faces = [text for attributes, text in page.all("svg") if attributes["class"] == "picture" and "Average" in text]
    ranking = data.rankings["all"]
    assert len(faces) == len(ranking)
    for place, (text, ranked) in enumerate(zip(faces, ranking, strict=True), 1):
        assert f"rank {place}," in text and signed(ranked.effect.value) in text
        assert PARTS[ranked.part].label in text
    headings = [text for _, text in page.all("h3")]
    first = headings.index(f"1. {PARTS[ranking[0].part].label}")
    assert headings[first : first + len(ranking)] == [
        f"{place}. {PARTS[ranked.part].label}" for place, ranked in enumerate(ranking, 1)
    ]


def answer_of(data: ReportData) -> str:
    return next(
        text for attributes, text in Page(render_report(data)).all("p") if attributes.get("class") == "answer"
    )


def test_the_answer_says_how_sure_it_is(data: ReportData) -> None:
    first = data.rankings["all"][0]
    said = answer_of(data)
    assert f"by {signed(first.effect.value)} {signed_interval(first.effect)}" in said
    assert "The nose is ranked first in 100\u00a0% of bootstrap resamples" in said and first.ranked_first == 1
    assert "more than occluding area-matched control regions" in said


def test_the_answer_names_ties_and_doubts() -> None:
    data = make_data(("CM",), ("nose", "hair"), people=30)
    nose = Ranked("nose", Interval(0.05, 0.01, 0.03, 0.07), 0.61, Interval(0.01, 0.01, -0.01, 0.03))
    hair = Ranked("hair", Interval(0.04, 0.01, 0.02, 0.06), 0.39, UNKNOWN)
    tied = dataclasses.replace(data, rankings={"CM": [nose, hair]})
    said = answer_of(tied)
    assert "61\u00a0% of bootstrap resamples" in said
    assert "The nose and the second-ranked part, the hair, are not significantly different" in said
    assert "the 95\u00a0% CI of their difference, +0.010 [−0.010, +0.030], includes 0" in said
    assert "≈ +0.0100 [−0.0100, +0.0300]" in [text for _, text in Page(render_report(tied)).all("td")]
    apart = dataclasses.replace(
        data, rankings={"CM": [dataclasses.replace(nose, difference_to_next=Interval(0.01, 0, 0.01, 0.01)), hair]}
    )
    assert "significantly different" not in answer_of(apart)
    doubtful = dataclasses.replace(nose, effect=Interval(0.05, 0.03, -0.01, 0.11))
    assert "The 95\u00a0% CI includes 0: the increase is not significant" in answer_of(
        dataclasses.replace(data, rankings={"CM": [doubtful, hair]})
    )
    assert "fewer than 10 subjects" in answer_of(FEW)


def test_a_ranking_of_falls_and_of_nothing_known() -> None:
    data = make_data(("CM",), ("nose", "hair"), people=30)
    effects = [UNKNOWN._replace(value=value) for value in (-0.02, -0.05)]
    ranking = [
        Ranked(part, effect, math.nan, UNKNOWN) for part, effect in zip(("hair", "nose"), effects, strict=True)
    ]
    fell = dataclasses.replace(data, rankings={"CM": ranking})
    assert "Occluding a part does not raise the mean impostor score" in answer_of(fell)
    unknown = [dataclasses.replace(ranked, effect=UNKNOWN) for ranked in ranking]
    assert "too few scores" in answer_of(dataclasses.replace(data, rankings={"CM": unknown}))


def test_bars_are_as_long_as_the_effects_and_whiskers_as_their_intervals(data: ReportData) -> None:
    bars = render_report(data).split('<svg class="bars"')[1].split("</svg>")[0]
    drawn = re.findall(r'<rect class="g(\d)" x="(-?[\d.]+)%" y="\d+" width="([\d.]+)%"', bars)
    whiskers = re.findall(r'<line class="whisker" x1="(-?[\d.]+)%" x2="(-?[\d.]+)%" y1="([\d.]+)" y2="\3"', bars)
    raw = re.findall(r'<circle class="raw" cx="(-?[\d.]+)%"', bars)
    rows = {(row.group, row.part): row for row in data.results if row.comparison == "within"}
    expected = [
        (number, rows[group.name, ranked.part])
        for ranked in data.rankings["all"]
        for number, group in enumerate(data.groups)
    ]
    effects = [row.importance for _, row in expected]
    zero = float(re.findall(r'x1="([\d.]+)%"', bars)[0])
    # The longest bar rises.
    scale = max(float(width) for _, _, width in drawn) / max(effect.value for effect in effects)
    assert min(effect.value for effect in effects) < 0
    for (colour, x, width), (number, row), ends, circle in zip(drawn, expected, whiskers, raw, strict=True):
        effect = row.importance
        assert int(colour) == number
        assert float(width) == pytest.approx(abs(effect.value) * scale, abs=0.02)
        assert float(x) == pytest.approx(zero + min(effect.value, 0) * scale, abs=0.03)
        for end, value in zip((*ends[:2], circle), (effect.low, effect.high, row.impostor_shift.value), strict=True):
            assert float(end) == pytest.approx(zero + value * scale, abs=0.04)


def test_groups_without_authentic_scores_and_figures_without_enough() -> None:
    html = render_report(FEW)
    page = Page(html)
    assert "nan" not in re.sub(r"data:image/jpeg;base64,[^\"]+", "", html).lower().replace("provenance", "")
    assert html.count("No authentic scores, so no ROC curve.") == len(FEW.parts)
    assert "no subject there has two photos" in html
    assert page.data()["baselines"][0]["authentic"] == 0
    assert math.isnan(FEW.results[0].fnmr_1e3.value) and math.isnan(FEW.results[0].fmr_at_baseline_1e3.value)


def test_every_metric_of_the_table_is_in_the_report(data: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Metric("hits", "proportion of hits", max, is_rate=True, columns=("baseline", "occluded", "change"))
    monkeypatch.setattr("facepart.report.tables.METRICS", (*METRICS, added))
    distance = Distance("overlap", "overlap", wasserstein)
    monkeypatch.setattr("facepart.report.tables.DISTANCES", (*DISTANCES, distance))
    further: dict[str, Interval | float] = {
        "hits": Interval(0.123, 0.01, 0.1, 0.15),
        "hits_baseline": Interval(0.3456, 0.01, 0.3, 0.4),
        "hits_change": Interval(-0.2226, 0.01, -0.25, -0.2),
        "authentic_overlap": 0.98765,
        "impostor_overlap": math.nan,
    }
    rate, change = Interval(0.777, 0.01, 0.7, 0.8), Interval(0.0501, 0.01, -0.02, 0.1)
    results = [
        dataclasses.replace(row, further=further, rank1_rate=rate, rank1_rate_change=change) for row in data.results
    ]
    page = Page(render_report(dataclasses.replace(data, results=results)))
    heads = [text for _, text in page.all("th")]
    for head in ("proportion of hits", "change of proportion of hits", "change of rank-1 identification rate"):
        assert head in heads
    assert "overlap (authentic scores, baseline and occluded)" in heads
    assert not any(head.startswith("overlap (impostor") for head in heads), "nothing is known of it"
    cells = {text.replace("\u00a0", " ") for _, text in page.all("td")}
    assert {"12.30 % [10.00, 15.00]", "34.56 % [30.00, 40.00]", "−22.26 % [−25.00, −20.00]", "0.9877"} <= cells
    assert {"77.70 % [70.00, 80.00]", "+5.01 % [−2.00, +10.00]"} <= cells
    shown = [row for row in data.results if row.occlusion == data.main_method]
    for row in shown:
        for kind in ("authentic", "impostor"):
            assert plain(row.figure(f"{kind}_wasserstein"), 4) in cells
