"""Coverage in the report: photos compared beside figures, warnings, parts without a rank or without any figures."""

import dataclasses
import math
import re
from typing import Any

import numpy as np
import pytest

from facepart.analysis.intervals import Interval
from facepart.report.coverage import FEW_PHOTOS, often_undetected
from facepart.report.methods import methods
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import results_text
from tests.report_data import FACTS, make_data, with_figures
from tests.report_page import Page

# Of 90 photos in each group, three of each subject. Brows are found on the last two of CF, of one subject.
MISSING = (("CM", "eyes", 30), ("CF", "mouth", 60), ("CF", "brows", 88))
DATA = make_data(
    ("CM", "CF"), people=30, control=True, equal_area=True, crossed=True, undetected=MISSING, margin=0.03
)
PLAIN = make_data(("CM", "CF"), people=30)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_report(DATA))


def row_of(data: ReportData, group: str, part: str, comparison: str = "within") -> Any:
    return data.main_rows(comparison)[group, part]


def test_every_row_says_how_many_photos_it_is_about(page: Page) -> None:
    rows = [text for _, text in page.all("tr")]
    tables = [text for text in rows if text.startswith("eyes ")]
    assert any("60 of 90" in text for text in tables)
    for row in DATA.results:
        assert f"{row.photos_compared} of {row.photos}" in " ".join(text for _, text in page.all("td"))
    # Of all groups together in the first ranking, and under its faces.
    captions = [text for _, text in page.all("figcaption")]
    assert any(text.startswith("3 eyes") and "150 of 180 photos" in text for text in captions)
    assert any("CM" in text and "60 of 90 photos" in text for text in captions)


def test_a_reader_is_warned_of_parts_that_were_often_not_detected(page: Page) -> None:
    warning = next(text for attributes, text in page.all("p") if attributes.get("class") == "warning")
    assert "Eyes: not detected in 33.3\u00a0% of the photos of CM." in warning
    assert "Brows:" in warning and "Mouth:" in warning and "Nose" not in warning
    # Hair is not found on three photos of 90 in both groups.
    assert "Hair" not in warning
    first = results_text(DATA.figures).splitlines()[0]
    assert first.startswith("warning: parts not detected in some photos: eyes CM 33 %; brows CF 98 %")
    assert "warning" not in results_text(PLAIN.figures)
    assert 'class="warning"' not in render_report(PLAIN)


@pytest.mark.parametrize(("first", "second", "warned"), [(4, 4, False), (5, 5, True), (2, 0, True), (1, 0, False)])
def test_the_warning_is_for_many_photos_or_for_groups_that_differ(first: int, second: int, warned: bool) -> None:
    row = dataclasses.replace(row_of(PLAIN, "CM", "nose"), photos=100)
    rows = {
        ("CM", "nose"): dataclasses.replace(row, undetected=first),
        ("CF", "nose"): dataclasses.replace(row, undetected=second),
    }
    assert bool(often_undetected(rows)) == warned


def test_parts_without_a_rank_are_shown_with_the_reason(page: Page) -> None:
    assert [each.part for each in DATA.rankings["CF"]] == ["nose", "eyes_brows", "eyes"]
    assert [each.part for each in DATA.rankings["CM"]] == ["nose", "eyes_brows", "eyes", "brows", "mouth"]
    answer = next(text for attributes, text in page.all("p") if attributes.get("class") == "answer")
    assert "Brows and mouth are not ranked: detected in under half of the photos." in answer
    assert "Hair and skin are not ranked: not controllable." in answer
    rows = [text for _, text in page.all("tr")]
    shift = row_of(DATA, "CF", "mouth").impostor_shift.value
    assert any(text.startswith(f"mouth {FEW_PHOTOS} 30 of 90") and f"+{shift:.4f}" in text for text in rows)
    skin = row_of(DATA, "CF", "skin").impostor_shift.value
    assert any(text.startswith("skin not controllable 90 of 90") and f"+{skin:.3f}" in text for text in rows)
    text = results_text(DATA.figures)
    assert re.search(r"^-   mouth +no rank: too few photos +- +\+\d", text, re.M)
    assert re.search(rf"^-   skin +not controllable +- +\+{skin:.4f}", text, re.M)


def test_a_part_found_on_photos_of_one_subject_has_no_figures(page: Page) -> None:
    row = row_of(DATA, "CF", "brows")
    assert (row.photos_compared, row.subjects_compared, row.impostor_n) == (2, 1, 0)
    assert "brows" not in DATA.groups[1].baselines
    assert sum("Detected in photos of fewer than two subjects" in text for _, text in page.all("figure")) == 1
    place = DATA.parts.index("brows")
    assert page.data()["sets"][1][place] == [None] * 4
    assert None not in page.data()["sets"][0][place]
    # A control that is none, too: the row of its table stays empty.
    assert page.data()["sets"][0][DATA.parts.index("skin")][3] is None
    found = [text for _, text in page.all("td")]
    assert "nan" not in " ".join(found)
    # The rates of the groups stay in their columns.
    rate = Interval(0.012, 0.001, 0.01, 0.014, 11)
    known = [
        dataclasses.replace(
            row, groups=[dataclasses.replace(group, refused="", fmr=rate, fnmr=rate) for group in row.groups]
        )
        for row in DATA.differentials
    ]
    compared = Page(render_report(with_figures(DATA, differentials=known)))
    rates = [text for _, text in compared.all("tr") if text.startswith("brows") and "– 2 of 90 photos" in text]
    assert rates and all(
        re.match(r"brows (excluded|[\d.]+\u00a0% \[[^]]+\]) – 2 of 90 photos", text) for text in rates
    )


def test_a_photo_without_the_part_says_so() -> None:
    example = DATA.examples[0]
    occluded = {what: dict(by_part) for what, by_part in example.occluded.items()}
    for by_part, part in ((occluded["part"], "eyes"), (occluded["control"], "nose")):
        by_part[part] = by_part[part]._replace(mask=np.zeros_like(by_part[part].mask))
    shown = dataclasses.replace(example, occluded=occluded)
    page = Page(render_report(dataclasses.replace(DATA, examples=[shown])))
    sheet = next(text for attributes, text in page.all("table") if attributes.get("class") == "sheet")
    assert sheet.count("not detected") == 2, "as the picture's caption, and for those who do not see it"
    assert "Person 0, eyes: not detected, so this photo is unoccluded." in sheet
    assert "the control does not fit" in sheet
    whole = Page(render_report(dataclasses.replace(DATA, examples=[example])))
    assert "not detected" not in next(
        text for attributes, text in whole.all("table") if attributes.get("class") == "sheet"
    )


def test_photos_without_the_part_may_be_kept() -> None:
    design = dataclasses.replace(PLAIN.design, undetected="keep")
    rows = [
        dataclasses.replace(row, undetected=9, photos_compared=row.photos) if row.part == "eyes" else row
        for row in PLAIN.results
    ]
    data = with_figures(dataclasses.replace(PLAIN, design=design), results=rows)
    text = methods(data, FACTS)
    html = render_report(dataclasses.replace(data, methods=text))
    assert "These photos were compared unoccluded" in html and "available-case" not in html
    assert "were compared unoccluded" in "\n".join(text)
    assert "those in which the part is not detected stay unoccluded" in results_text(data.figures)


def test_criteria_stand_side_by_side(page: Page) -> None:
    rankings = DATA.figures.rankings
    assert {"importance", "impostor_shift", "equal_area", "d_prime", "authentic_cross"} <= rankings.keys()
    rows = [text for _, text in page.all("tr")]
    labels = {"importance": "importance", "equal_area": "equal-area shift", "d_prime": "decrease in d′"}
    for name, label in labels.items():
        row = next(text for text in rows if text.startswith(f"{label} *") or text.startswith(f"{label} 1"))
        for rank, each in enumerate(rankings[name]["all"], 1):
            assert f"{rank} [{each.rank_low}, {each.rank_high}]" in row
    text = results_text(DATA.figures)
    assert re.search(r"^    nose: importance", text, re.M)
    section = next(text for attributes, text in page.all("section") if attributes.get("id") == "criteria")
    assert "Among the parts ranked by importance, the nose is ranked first by all" in section
    assert "without removing identity information" in section


def test_criteria_that_disagree_are_said_to() -> None:
    turned = list(reversed(DATA.rankings["all"]))
    rankings = {**DATA.figures.rankings}
    rankings["d_prime"] = {
        **rankings["d_prime"],
        "all": [
            dataclasses.replace(each, effect=each.effect._replace(value=float(-place)))
            for place, each in enumerate(turned)
        ],
    }
    html = render_report(with_figures(DATA, rankings=rankings))
    assert "The criteria do not agree on the part that is ranked first." in html
    section = next(text for attributes, text in Page(html).all("section") if attributes.get("id") == "criteria")
    assert "by decrease in d′, the eyes." in section and "−1.00" in section
    answer = next(text for attributes, text in Page(html).all("p") if attributes.get("class") == "answer")
    assert "Other criteria rank other parts first: eyes." in answer
    assert "too: " not in answer


def test_the_answer_names_the_criteria_by_which_the_same_part_is_first(page: Page) -> None:
    others = "impostor shift, equal-area shift, decrease in d′ and “decrease in authentic score, cross-matching”."
    # Skin is not controllable.
    answer = next(text for attributes, text in page.all("p") if attributes.get("class") == "answer")
    assert "The skin, without a rank by importance, is ranked first by " + others in answer
    assert ", too: " not in answer
    rankings = {
        criterion: {group: [each for each in ranked if each.part != "skin"] for group, ranked in found.items()}
        for criterion, found in DATA.figures.rankings.items()
    }
    html = render_report(with_figures(DATA, rankings=rankings))
    answer = next(text for attributes, text in Page(html).all("p") if attributes.get("class") == "answer")
    assert "The nose is ranked first by other criteria, too: " + others in answer
    assert "without a rank" not in answer


def test_eyes_and_brows_are_one_part_in_lists_of_parts() -> None:
    data = make_data(("CM", "CF"), ("eyes_brows", "nose", "eyes", "brows"), people=30)
    first = {"impostor_shift": ["nose", "eyes_brows"], "d_prime": ["eyes_brows", "nose"]}
    rankings = {
        name: {
            group: [next(each for each in ranked if each.part == part) for part in parts]
            for group, ranked in data.rankings.items()
        }
        for name, parts in first.items()
    }
    for name, places in (("impostor_shift", (2, 1)), ("d_prime", (2, 1))):
        for group, ranked in rankings[name].items():
            rankings[name][group] = [
                dataclasses.replace(each, effect=each.effect._replace(value=place))
                for each, place in zip(ranked, places, strict=True)
            ]
    page = Page(render_report(with_figures(data, rankings=rankings)))
    answer = next(text for attributes, text in page.all("p") if attributes.get("class") == "answer")
    assert "Other criteria rank other parts first: “eyes and brows”." in answer
    section = next(text for attributes, text in page.all("section") if attributes.get("id") == "criteria")
    assert "by decrease in d′, the “eyes and brows”." in section


def test_photos_compared_are_those_of_the_patch_where_parts_are_ranked_by_it() -> None:
    rows = [
        dataclasses.replace(row, photos_compared=77, authentic_shift=Interval(0.02, 0.005, 0.01, 0.03, 30))
        if row.comparison == "equal_area" and row.part == "nose"
        else dataclasses.replace(row, authentic_shift=Interval(-0.02, 0.005, -0.03, -0.01, 30))
        for row in DATA.results
    ]
    first = {
        group: sorted(ranked, key=lambda each: each.part != "nose")
        for group, ranked in DATA.figures.rankings["equal_area"].items()
    }
    rankings = {**DATA.figures.rankings, "equal_area": first}
    data = with_figures(DATA, results=rows, ranked_by="equal_area", rankings=rankings)
    page = Page(render_report(data))
    tables = [text for _, text in page.all("table") if text.startswith("Ranking by equal-area shift")]
    assert "154 of 180" in tables[0] and "77 of 90" in tables[1]
    ranking = next(text for attributes, text in page.all("section") if attributes.get("id") == "ranking")
    assert "in all photos" not in ranking and "in which the part is detected and large enough for it" in ranking
    assert "the equal-area shift is computed: those in which the part is detected and the patch fits" in ranking
    answer = next(text for attributes, text in page.all("p") if attributes.get("class") == "answer")
    assert "an area of equal size within the nose also raises the authentic scores in CM and CF" in answer, (
        "those of the patch, not of the whole part"
    )
    text = results_text(data.figures)
    assert re.search(r"^1\..*nose .* 77$", text, re.M)
    assert (
        "photos compared  photos from which equal-area shift is computed: the part is detected and the patch fits"
        in text
    )


def test_the_terminals_baseline_says_of_how_many_photos_it_is() -> None:
    data = make_data(("CM", "CF"), ("eyes",), people=30, undetected=(("CM", "eyes", 30),))
    lines = results_text(data.figures).splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("CM: "))
    assert lines[place].startswith("CM: 90 photos of 30 subjects; eyes detected in 60 (effective: ")
    assert lines[place + 1].startswith("    baseline of these 60: d' ")
    other = next(place for place, line in enumerate(lines) if line.startswith("CF: "))
    assert lines[other].startswith("CF: 90 photos of 30 subjects (effective: ")
    assert lines[other + 1].startswith("    baseline: d' ")


def test_a_criterion_that_no_part_has_leaves_no_link_and_no_untrue_reason() -> None:
    reasons = {group.name: dict.fromkeys(PLAIN.parts, "no false non-match") for group in PLAIN.groups}
    data = with_figures(PLAIN, ranked_by="fnmr", unsupported={"fnmr": reasons})
    html = render_report(data)
    page = Page(html)
    answer = next(text for attributes, text in page.all("p") if attributes.get("class") == "answer")
    assert "No part has a rank by increase in FNMR, on average over 2 groups (equally weighted)." in answer
    assert "not ranked: no false non-match." in answer
    assert "too few scores" not in answer and "#criteria" not in html
    assert "Parts are ranked by increase in FNMR." in " ".join(text for _, text in page.all("p"))
    text = " ".join(methods(data, FACTS))
    assert data.rankings == {} and "No part has a rank by increase in FNMR" in text
    assert "were ranked by" not in text and "For comparison" not in text


def test_what_is_said_of_area_is_true_of_the_study() -> None:
    def limits_of(data: ReportData) -> str:
        sections = Page(render_report(data)).all("section")
        return next(text for attributes, text in sections if attributes.get("id") == "limits")

    advice, large = (
        "A study with a control (--control)",
        "A large part may change the scores only because it is large",
    )
    assert advice in limits_of(PLAIN) and large in limits_of(PLAIN)
    for ranked_by, said in (
        ("impostor_shift", "does not account for area; importance and equal-area shift do."),
        ("equal_area", "Parts are ranked by the effect of an area of the same size within each."),
    ):
        found = limits_of(with_figures(DATA, ranked_by=ranked_by))
        assert said in found and advice not in found


def test_the_controls_overlaps_are_shown(page: Page) -> None:
    table = [text for _, text in page.all("table") if text.startswith("Share of other parts")]
    assert len(table) == 1
    rows = [text for _, text in page.all("tr")]
    nose = DATA.overlaps["nose"]
    shares = [f"{round(100 * nose[part])}\u00a0%" if part in nose else "–" for part in DATA.parts]
    assert f"nose {' '.join(shares)}" in rows
    assert "Share of other parts" not in render_report(PLAIN)


def test_groups_are_compared_with_a_correction_and_a_margin(page: Page) -> None:
    cells = [text for _, text in page.all("td")]
    main = [each for each in DATA.shift_differences if each.occlusion == "blur"]
    assert sum(each.effect == "impostor_shift" for each in main) == 6, "the brows of CF have none"
    assert sum(each.effect == "importance" for each in main) == 3, "the others have no control"
    for each in main:
        start = ("* " if each.p_holm < 0.05 else "") + ("= " if each.equivalent else "")
        p = "p < 0.001" if each.p_holm < 0.001 else f"p = {each.p_holm:.3f}"
        assert any(
            cell.startswith(f"{start}{'−' if each.difference.value < 0 else '+'}") and p in cell for cell in cells
        )
    assert any(each.p_holm < 0.05 for each in main) and any(each.equivalent for each in main)
    assert "two one-sided tests" in render_report(DATA) and "two one-sided tests" not in render_report(PLAIN)


def test_glasses_are_spoken_of_beside_every_table_of_parts(page: Page) -> None:
    said = "“Eyes and brows” includes eyeglasses."
    for section in ("ranking", "criteria", "groups", "photos", "tables", "limits"):
        text = next(text for attributes, text in page.all("section") if attributes.get("id") == section)
        assert said in text, section
    assert said not in render_report(make_data(("CM",), ("nose", "hair"), people=30))
    assert "eyes_brows       includes eyeglasses" in results_text(DATA.figures)


def test_other_methods_rank_no_part_that_was_hardly_detected() -> None:
    hardly = make_data(("CM",), ("nose", "eyes", "hair"), other_methods=("grey",), undetected=(("CM", "hair", 100),))
    for data, left_out in ((hardly, True), (make_data(("CM",), ("nose", "eyes"), other_methods=("grey",)), False)):
        page = Page(render_report(data))
        (section,) = [text for attributes, text in page.all("section") if attributes.get("id") == "other-methods"]
        assert ("Parts that are detected in under half of the photos" in section) == left_out
        assert "order of estimates" in section and "hair" not in section


def test_a_part_that_was_never_occluded_has_no_figures() -> None:
    """Where photos without a part are kept and none shows it, there is no certain shift of 0."""
    options: dict[str, Any] = {
        "people": 15,
        "photos": 2,
        "keep_undetected": True,
        "crossed": True,
        "equal_area": True,
    }
    data = make_data(("CM", "CF"), ("nose", "hair"), undetected=(("CM", "hair", 30),), **options)
    found = {(row.group, row.part, row.comparison): row for row in data.results}
    row = found["CM", "hair", "within"]
    assert (row.photos, row.undetected, row.photos_compared, row.impostor_n) == (30, 30, 0, 0)
    assert math.isnan(row.impostor_shift.value) and math.isnan(row.d_prime.value)
    assert [key for key in found if key[:2] == ("CM", "hair")] == [("CM", "hair", "within")]
    assert found["CF", "hair", "within"].photos_compared == 30
    assert [each.part for each in data.shift_differences] == ["nose"]
    for each in data.differentials:
        assert [group.group for group in each.groups] == (["CF"] if each.part == "hair" else ["CM", "CF"])
    html = render_report(data)
    assert "+0.0000" not in html and "0.0000 [" not in results_text(data.figures)
    assert "Detected in photos of fewer than two subjects" in html
