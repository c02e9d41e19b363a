"""The report's sections on groups, occlusion methods and the methods text: only what was run, with its figures."""

import csv
import dataclasses
import io
import json
import math
import re

import pytest

from facepart.analysis.differentials import ShiftDifference
from facepart.analysis.intervals import Interval
from facepart.analysis.ranking import MethodAgreement
from facepart.report.export import differentials_csv, results_csv, results_json, rows_csv
from facepart.report.formatting import p_value, per_cent_ci, plain, share_of_resamples, signed_ci
from facepart.report.method_names import method_phrase
from facepart.report.methods import methods
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import results_text
from tests.report_data import EVERYTHING, FACTS, make_data, with_figures
from tests.report_page import Page

pytestmark = pytest.mark.slow

FULL = EVERYTHING
ALONE = make_data(("all",), ("nose", "hair"), people=30)
FEW = make_data(("all",), people=8, photos=1)


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_report(FULL))


def sections(data: ReportData) -> list[str | None]:
    return [attributes.get("id") for attributes, _ in Page(render_report(data)).all("section")]


def test_sections_are_there_where_something_was_run() -> None:
    assert {"other-methods", "groups"} <= set(sections(FULL))
    assert not {"other-methods", "groups"} & set(sections(ALONE))
    full, alone = ({text for _, text in Page(render_report(data)).all("dt")} for data in (FULL, ALONE))
    assert {"Control and importance", "Equal area", "Inequity", "GARBE", "Holm-adjusted p"} <= full - alone
    assert {
        "Impostor shift",
        "95\u00a0% CI, in brackets",
        "Ranked first (% of resamples)",
        "Effective subjects",
    } <= alone
    assert "no confidence intervals" not in render_report(ALONE)


@pytest.mark.parametrize(("low", "said"), [(0.001, True), (-0.001, False)])
def test_the_answer_says_where_authentic_scores_rise_too(low: float, said: bool) -> None:
    first = FULL.main_ranking[0].part
    risen = Interval(0.02, 0.005, low, 0.04, 30)
    fallen = Interval(-0.02, 0.005, -0.04, -0.001, 30)
    rows = [
        dataclasses.replace(row, authentic_shift=risen if (row.group, row.part) == ("CM", first) else fallen)
        for row in FULL.results
    ]
    page = Page(render_report(with_figures(FULL, results=rows)))
    answer = next(text for attributes, text in page.all("p") if attributes.get("class") == "answer")
    assert ("also raises the authentic scores in CM: part of the effect" in answer) == said
    assert "also raises" not in answer or said


def test_rates_of_groups_are_those_of_the_differentials(page: Page) -> None:
    # Where a part was not detected in all photos, the cell says in how many.
    cells = {re.sub(r" [\d,]+ of [\d,]+ photos$", "", text) for _, text in page.all("td")}
    # Of thresholds at which no group can be compared, there is a list.
    said = [text for _, text in page.all("p") if text.startswith("Excluded: ")]
    excluded = " ".join([*said, *(text for _, text in page.all("li"))])
    for row in FULL.differentials:
        for group in row.groups:
            if group.refused:
                assert f"{group.group} ({group.refused})" in excluded
            else:
                assert {text_of(per_cent_ci(group.fnmr)), text_of(per_cent_ci(group.fmr, 3))} & cells
        if not math.isnan(row.garbe):
            assert {plain(row.garbe), plain(row.fairness_discrepancy, 4)} <= cells
    for difference in FULL.shift_differences:
        shown = f"{text_of(signed_ci(difference.difference, 4))} {p_value(difference.p_holm)}"
        if difference.occlusion == "blur":
            assert (f"* {shown}" if difference.p_holm < 0.05 else shown) in cells
    assert any(row.p_holm < 0.05 for row in FULL.shift_differences)


def test_an_excluded_group_has_a_reason_and_no_numbers() -> None:
    found = []
    for row in FULL.differentials:
        first = dataclasses.replace(row.groups[0], refused="fewer than 10 people", fmr=Interval(0.7777, 0, 0.7, 0.8))
        found.append(dataclasses.replace(row, groups=[first, *row.groups[1:]]))
    html = render_report(with_figures(FULL, differentials=found))
    assert "excluded: fewer than 10 people" in html and "Excluded: CM (fewer than 10 people)" in html
    assert "77.77" not in html
    told = results_text(with_figures(FULL, differentials=found).figures)
    assert "CM excluded" in told and "77.77" not in told


def test_occlusion_methods_are_compared_by_their_ranks(page: Page) -> None:
    rows = [text for _, text in page.all("tr")]
    first = next(row for row in FULL.agreements if row.occlusion == "blur" and row.group == "CM")
    wanted = ("CM", first.parts[1], "grey")
    shift = next(row.impostor_shift for row in FULL.results if (row.group, row.part, row.occlusion) == wanted)
    assert any(text_of(signed_ci(shift, 4)) in row and "mid-grey" in row for row in rows)
    swapped = [
        row
        if row.occlusion == "blur"
        else MethodAgreement(
            row.occlusion, row.group, list(reversed(row.parts)), -0.25, row.parts[0] == row.parts[-1]
        )
        for row in FULL.agreements
    ]
    html = render_report(dataclasses.replace(FULL, agreements=swapped))
    assert "with 0 of 2 other methods" in html and "largest estimate depends on the occlusion method" in html
    assert "−0.25" in html


def test_no_control_is_told_of_where_no_part_can_have_one() -> None:
    hair = dataclasses.replace(FULL.design, parts=tuple(part for part in FULL.design.parts if part.name == "hair"))
    assert FULL.draws and hair.draws
    assert dataclasses.replace(FULL, design=hair).draws == 0


def test_the_methods_text_tells_of_given_landmarks_and_several_faces() -> None:
    text = "\n".join(methods(FULL, dataclasses.replace(FACTS, given=1, several=20)))
    assert "The landmarks of 1 photo were not detected but supplied." in text
    assert "In 20 photos several faces were detected, and the largest near the centre was used." in text
    without = "\n".join(methods(FULL, FACTS))
    assert "supplied" not in without and "several faces" not in without


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("blur", "blurred with a 15-pixel box filter"),
        ("blur-dilation-0.5", "blurred with a 15-pixel box filter, with 0.5 times the standard mask dilation"),
        ("pixelate-25", "pixelated in 25-pixel blocks"),
        ("grey", "replaced by mid-grey"),
        ("<other>", "<other>"),
    ],
)
def test_method_names_in_words(method: str, words: str) -> None:
    assert method_phrase(method) == words


def test_the_methods_text_says_what_was_run_and_nothing_else() -> None:
    text = "\n".join(methods(FULL, FACTS))
    scores = [
        sum(scores.n for scores in kind) for kind in zip(*(group.baseline for group in FULL.groups), strict=True)
    ]
    for said in (
        "600 photos of 200 subjects in 4 groups (CM: 150 photos of 50 subjects",
        f"{scores[0]:,} authentic and {scores[1]:,} impostor scores",
        "yunet (SHA-256 4545",
        "at 2 positions, one at a time: each had a nominal displacement from the part, common to all photos",
        "No control was attempted for hair and skin",
        "hair: 12 photos",
        "computed only from the photos in which that part was detected",
        "an area of the same size (600 pixels of the 512x512 label map",
        "Parts were ranked by importance",
        "they were also ranked by impostor shift, equal-area shift, FMR ratio (log), decrease in d′",
        "Eyeglasses are part of “eyes and brows”",
        "eyes behind glasses are labelled as glasses",
        "G* was 49.0 to 50.0 for impostor scores",
        "p-values were Holm-corrected for all parts, occlusion methods and pairs of groups",
        "Error rates were compared between groups at a common threshold for each FMR (0.1 % and 0.01 %)",
        "Dependence between subjects, such as kinship, was not modelled",
        "200 resamples of the subjects with replacement",
        "seed 20231",
        "GARBE",
        "replaced by mid-grey and replaced by random noise",
        "compared with all baseline photos (gallery) except their own",
    ):
        assert said in text
    cited = set(map(int, re.findall(r"\[(\d+)\]", text)))
    assert cited == set(range(1, max(cited) + 1)), "every reference is cited, every citation has its reference"
    alone = "\n".join(methods(ALONE, dataclasses.replace(FACTS, detector=None)))
    for absent in (
        "yunet",
        "control",
        "GARBE",
        "tau-b",
        "groups",
        "gallery",
        "glasses",
        "patch",
        "corrected for all parts",
        "Error rates",
        "[13]",
    ):
        assert absent not in alone
    assert "facepart did not align them" in alone
    assert "left out" not in text
    none = [dataclasses.replace(row, ratios=[]) for row in FULL.differentials]
    apart = "\n".join(methods(with_figures(FULL, differentials=none), FACTS))
    assert "Error rates were not compared between groups" in apart
    assert "GARBE" not in apart and "Excluded" not in apart and "p-values were Holm-corrected" in apart
    days = "\n".join(methods(FULL, dataclasses.replace(FACTS, excluded="of the same day")))
    assert "of the baseline photos). Authentic pairs of the same day were left out." in days


def test_identification_rates_are_explained_where_they_are_known(page: Page) -> None:
    known = [dataclasses.replace(row, rank1_rate=Interval(0.9, 0.01, 0.8, 0.95)) for row in FULL.results]
    data = with_figures(FULL, results=known)
    term = "Rank-1 and rank-10 identification rates"
    assert term in [text for _, text in Page(render_report(data)).all("dt")]
    assert term not in [text for _, text in page.all("dt")]
    assert "Identification was closed-set" in "\n".join(methods(data, FACTS))
    assert "Identification" not in "\n".join(methods(FULL, FACTS))


def test_the_methods_text_claims_no_error_rates_that_there_are_not() -> None:
    """A dash in every cell of the tables: a paper must not say that the rates were measured."""
    with_rates, without = (" ".join(methods(data, FACTS)) for data in (FULL, ALONE))
    assert any(math.isfinite(row.fmr_at_baseline_1e3.value) for row in FULL.results)
    assert not any(math.isfinite(row.fmr_at_baseline_1e3.value) for row in ALONE.results)
    for words in ("at which the baseline photos had an FMR of 0.1 %", "on the log scale", "treated as fixed"):
        assert words in with_rates
        assert words not in without
    assert "are not reported: fewer than ten false matches were expected at an FMR of 0.1 %." in without


NEUTRAL = make_data(("CM", "CF"), ("nose", "eyes"), people=30, photos=1, control=True, keep_only=True, margin=0.02)
EIGHT = make_data(("all",), ("nose", "mouth"), people=8, control=True)


def test_the_methods_text_claims_nothing_of_authentic_scores_that_there_are_not() -> None:
    text = " ".join(methods(NEUTRAL, FACTS))
    assert "Simultaneous 95 % CIs for the ranks" in text and "0 authentic" in text
    for absent in ("d\u2032", "Wilson", "FMR and FNMR were defined", "bias-corrected", "treated as estimated"):
        assert absent not in text
    rates = [
        dataclasses.replace(row, fmr_at_baseline_1e3=Interval(0.01, 0.001, 0.008, 0.012)) for row in NEUTRAL.results
    ]
    text = " ".join(methods(with_figures(NEUTRAL, results=rates), FACTS))
    assert "FMR of 0.1 %, only if at least ten false matches were expected." in text and "FNMR at the" not in text


def test_the_methods_text_claims_no_ci_that_there_is_not() -> None:
    text = " ".join(methods(EIGHT, FACTS))
    assert "No CIs were given, because the results rest on fewer than 10 effective subjects, G* = " in text
    assert "G* was 8.0 for impostor scores and 8.0 for authentic scores." in text
    for absent in ("95 % CI", "Student's t", "CIs of", "degrees of freedom", "Wilson", "Adjacent parts", "resamples"):
        assert absent not in text
    assert "2 positions of the control, with 1 degree of freedom;" in " ".join(methods(NEUTRAL, FACTS))
    warning = "so CIs of importance are wide"
    assert warning not in render_report(EIGHT) and warning in render_report(NEUTRAL)
    assert warning not in results_text(EIGHT.figures, draws=2) and warning in results_text(NEUTRAL.figures, draws=2)


def test_the_methods_text_names_the_differences_that_were_tested() -> None:
    both = "Differences in impostor shift and importance between groups were tested"
    apart = ", separately for impostor shift and importance"
    text = " ".join(methods(NEUTRAL, FACTS))
    assert both in text and apart in text and "Groups were called equivalent" in text and "over the positions" in text
    # With one position, importances have no CI.
    tested = [each for each in NEUTRAL.shift_differences if each.effect == "impostor_shift"]
    untested = [
        dataclasses.replace(each, p_value=math.nan, p_holm=math.nan, equivalent=None)
        for each in NEUTRAL.shift_differences
    ]
    design = dataclasses.replace(NEUTRAL.design, draws=1)
    one = with_figures(
        dataclasses.replace(NEUTRAL, design=design),
        shift_differences=[*tested, *(each for each in untested if each.effect == "importance")],
    )
    text = " ".join(methods(one, FACTS))
    assert "Differences in impostor shift between groups were tested" in text
    assert apart not in text and "over the positions" not in text and "paired by control position" not in text
    text = " ".join(methods(with_figures(NEUTRAL, shift_differences=untested), FACTS))
    assert "were tested" not in text and "Holm-corrected" not in text and "equivalent" not in text


def test_the_methods_text_names_what_ranks_rest_on_with_equal_subjects() -> None:
    rows = [
        dataclasses.replace(row, impostor_shift_subjects=row.impostor_shift_subjects._replace(effective=69.0))
        for row in FULL.results
    ]
    design = dataclasses.replace(FULL.design, weight="subjects")
    text = " ".join(methods(with_figures(dataclasses.replace(FULL, design=design), results=rows), FACTS))
    assert "or, where all pairs of subjects had the same weight, the number of these pairs" in text
    assert "for impostor scores (69.0 with all pairs of subjects equally weighted)" in text
    assert "equally weighted)" not in " ".join(methods(FULL, FACTS))


def test_the_methods_text_names_the_group_that_sets_the_threshold() -> None:
    rows = [
        row if row.threshold_of == "each" else dataclasses.replace(row, threshold_of="CF")
        for row in FULL.differentials
    ]
    text = " ".join(methods(with_figures(FULL, differentials=rows), FACTS))
    assert "or set on the baseline photos of CF and applied to all groups, were treated as fixed" in text
    assert "set on all groups together" not in text
    assert "or set on all groups together, were treated as fixed" in " ".join(methods(FULL, FACTS))


def test_the_methods_text_is_in_the_report(page: Page) -> None:
    box = next(text for attributes, text in page.all("div") if attributes.get("id") == "methods")
    assert all(paragraph in box for paragraph in methods(FULL, FACTS))
    without = Page(render_report(dataclasses.replace(FULL, methods=())))
    assert "methods" not in [attributes.get("id") for attributes, _ in without.all("div")]


def test_tables_hold_every_figure_with_its_interval() -> None:
    rows = list(csv.DictReader(io.StringIO(results_csv(FULL.results))))
    assert len(rows) == len(FULL.results)
    for row, result in zip(rows, FULL.results, strict=True):
        shift = result.impostor_shift
        found = [float(row[f"impostor_shift{ending}"]) for ending in ("", "_low", "_high")]
        assert found == pytest.approx([shift.value, shift.low, shift.high], rel=1e-5)
        assert (row["importance"] == "") == math.isnan(result.importance.value)
        assert "nan" not in row.values()
    apart = list(csv.DictReader(io.StringIO(rows_csv(ShiftDifference, FULL.shift_differences))))
    assert [float(row["difference"]) for row in apart] == pytest.approx(
        [r.difference.value for r in FULL.shift_differences]
    )
    groups = list(csv.DictReader(io.StringIO(differentials_csv(FULL.differentials))))
    assert len(groups) == sum(len(row.groups) for row in FULL.differentials)
    second = next(row for row in groups if row["part"] == "baseline" and row["ratio_to"])
    first = next(row for row in groups if row["part"] == "baseline" and row["group"] == second["ratio_to"])
    assert float(second["ratio_fmr"]) == pytest.approx(float(second["fmr"]) / float(first["fmr"]))
    assert float(second["ratio_fmr_low"]) < float(second["ratio_fmr"]) < float(second["ratio_fmr_high"])


def test_json_holds_all_and_errors_too() -> None:
    text = results_json(FULL, {"settings": {"precision": "bf16"}})
    found = json.loads(text)
    assert (found["version"], found["ranked_by"], found["draws"]) == (3, "importance", 2)
    first = FULL.rankings["all"][0]
    assert found["rankings"]["all"][0]["effect_error"] == pytest.approx(first.effect.error, rel=1e-5)
    assert found["rankings"]["all"][0]["tied"] == first.tied
    assert found["differentials"][0]["groups"][0]["fmr_low"] == pytest.approx(
        FULL.differentials[0].groups[0].fmr.low, rel=1e-5
    )
    assert len(found["differentials"][0]["ratios"]) == 6
    assert found["agreements"][0]["parts"] == list(FULL.agreements[0].parts)


def test_last_bits_do_not_change_the_files() -> None:
    row = FULL.results[0]
    shift = row.impostor_shift
    value, error, low, high, effective = (math.nextafter(each, 1) for each in shift[:5])
    nudged = Interval(value, error, low, high, effective, shift.no_ci)
    again = dataclasses.replace(row, impostor_shift=nudged, impostor_ks=math.nextafter(row.impostor_ks, 1))
    assert nudged != row.impostor_shift
    assert results_csv([again]) == results_csv([row])


@pytest.mark.parametrize("data", [FULL, ALONE, FEW], ids=["everything", "one group", "few scores"])
def test_terminal(data: ReportData) -> None:
    text = results_text(data.figures)
    assert max(map(len, text.splitlines())) <= 110
    assert "nan" not in text
    for ranked in next(iter(data.rankings.values())):
        assert re.search(rf"^\d\.[=? ] +{ranked.part} +{re.escape(f'{ranked.effect.value:+.4f}')}", text, re.M)
    assert ("control" in text) == bool(data.draws)
    assert ("inequity" in text) == bool(data.differentials)


def test_shares_of_resamples() -> None:
    found = [share_of_resamples(share) for share in (1, 0.9999, 0.874, 0.0004, 0, math.nan)]
    assert [each.replace("\u00a0", " ") for each in found] == ["100 %", "> 99 %", "87 %", "< 1 %", "0 %", "–"]
