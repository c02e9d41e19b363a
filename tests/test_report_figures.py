"""The figures of a report: those of the results, with their intervals, and nothing said that they do not hold."""

import dataclasses
import math
import re
from typing import Any

import pytest

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.metrics import DISTANCES, METRICS, Distance, Metric, wasserstein
from facepart.analysis.ranking import Ranked
from facepart.occlusion.parts import PARTS
from facepart.report.formatting import per_cent_ci, plain, plain_ci, ratio_ci, signed, signed_ci, signed_interval
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from tests.report_data import EVERYTHING, make_data, with_figures, with_ranking
from tests.report_page import Page

pytestmark = pytest.mark.slow

FEW = make_data(("all",), people=8, photos=1)


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


@pytest.fixture(scope="module")
def data() -> ReportData:
    return EVERYTHING


@pytest.fixture(scope="module")
def page(data: ReportData) -> Page:
    return Page(render_report(data))


def test_figures_are_those_of_the_results(data: ReportData, page: Page) -> None:
    cells = {text for _, text in page.all("td")}
    for row in (row for row in data.results if row.occlusion == data.main_method):
        shown = {
            signed_ci(row.impostor_shift, 4),
            signed_ci(row.impostor_shift_subjects, 4),
            signed_ci(row.authentic_shift_subjects, 4),
            plain(row.impostor_effective, 1),
            plain_ci(row.d_prime),
            signed_ci(row.d_prime_change),
            per_cent_ci(row.fmr_at_baseline_1e3, 3),
            ratio_ci(row.fmr_ratio_1e3),
            per_cent_ci(row.fnmr_1e3_baseline),
            per_cent_ci(row.fnmr_1e3),
        }
        assert {text_of(figure) for figure in shown} <= cells
        if row.comparison == "within":
            assert {text_of(signed_ci(figure, 4)) for figure in (row.control_shift, row.importance)} <= cells
    faces = [text for attributes, text in page.all("svg") if attributes["class"] == "picture" and "Average" in text]
    ranking = data.rankings["all"]
    unranked = ["hair", "skin"]  # not controllable
    assert [each.part for each in ranking if each.part in unranked] == []
    assert len(faces) == len(data.parts) == len(ranking) + len(unranked)
    for place, (text, ranked) in enumerate(zip(faces, ranking, strict=False), 1):
        assert f"rank {place}," in text and signed(ranked.effect.value) in text
        assert PARTS[ranked.part].label in text
    assert all("no rank" in text for text in faces[len(ranking) :])
    headings = [text for _, text in page.all("h3")]
    first = headings.index(f"1. {PARTS[ranking[0].part].label}")
    assert headings[first : first + len(faces)] == [
        *(f"{place}. {PARTS[ranked.part].label}" for place, ranked in enumerate(ranking, 1)),
        *unranked,
    ]


def answer_of(data: ReportData) -> str:
    return next(
        text for attributes, text in Page(render_report(data)).all("p") if attributes.get("class") == "answer"
    )


def test_the_answer_says_how_sure_it_is(data: ReportData) -> None:
    first, said = data.rankings["all"][0], answer_of(data)
    assert f"importance {signed(first.effect.value)} {signed_interval(first.effect)}" in said
    assert "Occluding the nose raises the mean impostor score most, net of the control" in said
    assert [ranked.part for ranked in data.rankings["all"] if ranked.may_be_first] == ["nose"]
    assert "At 95\u00a0% confidence, no other part may be first." in said


def ranked(part: str, value: float, reach: float, **known: Any) -> Ranked:
    """A part whose rank may be 1 or 2, unless more is known."""
    effect = Interval(value, reach / 2, value - reach, value + reach, 29.0)
    rest = {"ranked_first": 0.61, "difference_to_next": UNKNOWN, "rank_low": 1, "rank_high": 2, "may_be_first": True}
    return Ranked(part, effect, **{**rest, **known})


def test_the_answer_says_in_which_groups_the_first_is_not_ahead() -> None:
    data = make_data(("CM", "CF"), ("nose", "hair"), people=30)
    ahead = ranked("nose", 0.05, 0.02, difference_to_next=Interval(0.02, 0.005, 0.01, 0.03))
    tied = ranked("nose", 0.05, 0.02, difference_to_next=Interval(0.01, 0.01, -0.01, 0.03))
    rest, of_all = [ranked("hair", 0.04, 0.02)], {"all": [ahead, ranked("hair", 0.04, 0.02)]}
    clear = with_ranking(data, {**of_all, "CM": [ahead, *rest], "CF": [ahead, *rest]})
    assert "The nose is ranked first in every group. " in answer_of(clear)
    unclear = with_ranking(data, {**of_all, "CM": [ahead, *rest], "CF": [tied, *rest]})
    assert "in every group (but not significantly ahead of the next part in the group CF)." in answer_of(unclear)
    both = with_ranking(data, {**of_all, "CM": [tied, *rest], "CF": [tied, *rest]})
    assert "in every group (but in neither group significantly ahead of the next part)." in answer_of(both)
    # A difference without a CI is neither.
    unknown = ranked("nose", 0.05, 0.02, difference_to_next=UNKNOWN._replace(value=0.01))
    neither = with_ranking(data, {**of_all, "CM": [unknown, *rest], "CF": [unknown, *rest]})
    assert "in every group (but the difference from the next part has no CI)." in answer_of(neither)
    mixed = with_ranking(data, {**of_all, "CM": [tied, *rest], "CF": [unknown, *rest]})
    assert (
        "(but not significantly ahead of the next part in the group CM; the difference from the next part has no CI "
        "in the group CF)."
    ) in answer_of(mixed)


def test_the_answer_names_all_parts_that_may_be_first_and_doubts() -> None:
    data = make_data(("CM",), ("nose", "hair"), people=30)
    nose = ranked("nose", 0.05, 0.02, difference_to_next=Interval(0.01, 0.01, -0.01, 0.03))
    hair = ranked("hair", 0.04, 0.02)
    tied = with_ranking(data, {"CM": [nose, hair]})
    assert "2 parts may be first: nose and hair. The study does not show which of them is." in answer_of(tied)
    cells = [text for _, text in Page(render_report(tied)).all("td")]
    assert "≈ +0.010 [−0.010, +0.030]" in cells and "1 [1, 2]" in cells and "61\u00a0%" in cells
    alone = dataclasses.replace(hair, rank_low=2, may_be_first=False)
    assert "no other part may be first" in answer_of(with_ranking(data, {"CM": [nose, alone]}))
    doubtful = ranked("nose", 0.05, 0.06)
    assert "The 95\u00a0% CI includes 0: the effect is not significant" in answer_of(
        with_ranking(data, {"CM": [doubtful, hair]})
    )
    assert "No CI is computed" in answer_of(FEW)
    assert "rest on fewer than 10 effective subjects" in render_report(FEW)


def test_a_ranking_of_falls_and_of_nothing_known() -> None:
    data = make_data(("CM",), ("nose", "hair"), people=30)
    falls = [
        dataclasses.replace(ranked(part, value, 0.1), effect=UNKNOWN._replace(value=value), ranked_first=math.nan)
        for part, value in (("hair", -0.02), ("nose", -0.05))
    ]
    fell = with_ranking(data, {"CM": falls})
    assert "No part has an effect above 0 by impostor shift: the hair comes closest, at −0.020" in answer_of(fell)
    assert "ranked first (% of resamples)" not in [text for _, text in Page(render_report(fell)).all("th")]
    unknown = [dataclasses.replace(each, effect=UNKNOWN) for each in falls]
    assert "No part has a rank by impostor shift." in answer_of(with_ranking(data, {"CM": unknown}))
    html = render_report(with_figures(data, rankings={}))
    assert (
        "No part has a rank by impostor shift." in html
        and "not ranked: too few scores." in html
        and "no rank: too few scores" in html
    )


def test_bars_are_as_long_as_the_effects_and_whiskers_as_their_intervals(data: ReportData) -> None:
    bars = render_report(data).split('<svg class="bars"')[1].split("</svg>")[0]
    drawn = re.findall(r'<rect class="g(\d)" x="(-?[\d.]+)%" y="\d+" width="([\d.]+)%"', bars)
    whiskers = re.findall(r'<line class="whisker" x1="(-?[\d.]+)%" x2="(-?[\d.]+)%" y1="([\d.]+)" y2="\3"', bars)
    raw = re.findall(r'<circle class="raw" cx="(-?[\d.]+)%"', bars)
    within = (row for row in data.results if (row.comparison, row.occlusion) == ("within", "blur"))
    rows = {(row.group, row.part): row for row in within}
    order = [*(each.part for each in data.rankings["all"]), "hair", "skin"]
    expected = [(number, rows[group.name, part]) for part in order for number, group in enumerate(data.groups)]
    effects = [row.importance for _, row in expected]
    zero = float(re.findall(r'x1="([\d.]+)%"', bars)[0])
    # The longest bar rises.
    scale = max(float(width) for _, _, width in drawn) / max(each.value for each in effects if each.value > 0)
    ends = iter(whiskers)
    assert sum(math.isfinite(each.value) for each in effects) == len(whiskers) == 5 * len(data.groups)
    for (colour, x, width), (number, row), circle in zip(drawn, expected, raw, strict=True):
        effect = row.importance
        assert int(colour) == number
        assert float(circle) == pytest.approx(zero + row.impostor_shift.value * scale, abs=0.04)
        if math.isnan(effect.value):
            # Not controllable: the raw shift is shown, and nothing else.
            assert float(width) == 0 and row.part in ("hair", "skin")
            continue
        assert float(width) == pytest.approx(abs(effect.value) * scale, abs=0.02)
        assert float(x) == pytest.approx(zero + min(effect.value, 0) * scale, abs=0.03)
        for end, value in zip(next(ends)[:2], (effect.low, effect.high), strict=True):
            assert float(end) == pytest.approx(zero + value * scale, abs=0.04)
    assert bars.count("not controllable") == 2 * len(data.groups)


def test_groups_without_authentic_scores_and_figures_without_enough() -> None:
    html = render_report(FEW)
    page = Page(html)
    assert "nan" not in re.sub(r"data:image/jpeg;base64,[^\"]+", "", html).lower().replace("provenance", "")
    assert html.count("No authentic scores, so no ROC curve.") == len(FEW.parts)
    assert "no two photos of a subject there were compared" in html
    assert page.data()["counts"][0]["authentic"] == 0
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
    page = Page(render_report(with_figures(data, results=results)))
    heads = [text for _, text in page.all("th")]
    for head in ("proportion of hits", "change in proportion of hits (percentage points)"):
        assert head in heads
    assert "change in rank-1 identification rate (percentage points)" in heads
    assert "overlap (authentic scores vs baseline)" in heads
    assert not any(head.startswith("overlap (impostor") for head in heads), "nothing is known of it"
    cells = {text.replace("\u00a0", " ") for _, text in page.all("td")}
    assert {"12.3 % [10.0, 15.0]", "34.6 % [30.0, 40.0]", "−22.3 [−25.0, −20.0]", "0.9877"} <= cells
    assert {"77.7 % [70.0, 80.0]", "+5.0 [−2.0, +10.0]"} <= cells
    shown = [row for row in data.results if row.occlusion == data.main_method]
    for row in shown:
        for kind in ("authentic", "impostor"):
            assert plain(row.figure(f"{kind}_wasserstein"), 4) in cells
