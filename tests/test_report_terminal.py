"""The lines under the terminal's tables: what each column means, of the columns and parts that are there alone."""

import dataclasses
import math
import re
from typing import Any

import pytest

from facepart.analysis.choices import CRITERION_NAMES, Weight
from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import CONTROL, WITHIN
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import results_text
from tests.report_data import make_data, with_figures, with_ranking
from tests.report_page import Page

PAIR = make_data(("CM", "CF"), ("eyes", "nose"), people=30)
MOVED = make_data(("all",), ("nose", "mouth"), people=30, control=True)
FOUR = make_data(("all",), ("eyes", "nose", "mouth", "brows"), people=30)
FEW = make_data(("all",), ("nose", "mouth"), people=2, photos=1)
EVERYTHING = make_data(
    ("CM", "CF"), ("eyes_brows", "hair"), people=30, control=True, crossed=True, equal_area=True, keep_only=True
)


def legend_of(data: ReportData) -> tuple[str, dict[str, str]]:
    """The tables, and each term that is explained below them."""
    tables, _, legend = results_text(data.figures).rpartition("\n\n")
    return tables, {line[:16].strip(): line[16:].strip() for line in legend.splitlines()}


@pytest.mark.parametrize("data", [PAIR, MOVED, FEW, EVERYTHING], ids=["pair", "moved", "few", "everything"])
def test_what_is_explained_is_in_the_tables(data: ReportData) -> None:
    tables, legend = legend_of(data)
    for term, meaning in legend.items():
        assert meaning, term
        # That no part is marked as tied, and that there are no CIs, is explained as well.
        if term not in ("=", "[95 % CI]"):
            assert all(word in tables for word in term.split()), term


def test_glasses_are_spoken_of_by_the_parts_that_are_there() -> None:
    assert legend_of(PAIR)[1]["eyes"] == "eyes behind glasses are not detected as eyes"
    assert legend_of(EVERYTHING)[1]["eyes_brows"] == "includes eyeglasses"
    assert not {"eyes", "eyes_brows"} & legend_of(MOVED)[1].keys()
    page = render_report(PAIR)
    assert "Eyes behind glasses are labelled as glasses" in page
    assert "includes eyeglasses" not in page and "“Eyes and brows”" not in page


@pytest.mark.parametrize("ranked_by", CRITERION_NAMES)
def test_the_column_of_every_criterion_is_explained(ranked_by: str) -> None:
    rankings = {ranked_by: EVERYTHING.figures.ranking}
    figures = dataclasses.replace(EVERYTHING.figures, ranked_by=ranked_by, rankings=rankings)
    tables, legend = legend_of(dataclasses.replace(EVERYTHING, figures=figures))
    ranked = [term for term, meaning in legend.items() if meaning.endswith("the parts are ranked by it")]
    assert len(ranked) == 1 and f"{ranked[0]} [95 % CI]" in tables


def test_a_difference_without_a_ci_is_neither_significant_nor_not() -> None:
    differences = {
        "nose": Interval(0.05, 0.01, 0.03, 0.07, 30),
        "mouth": Interval(0.01, 0.01, -0.01, 0.03, 30),
        "eyes": UNKNOWN._replace(value=0.02, effective=9.5),
        "brows": UNKNOWN,
    }
    effect = Interval(0.1, 0.01, 0.08, 0.12, 30)
    ranking = [Ranked(part, effect, 0.5, to_next, 1, 4, True) for part, to_next in differences.items()]
    data = with_ranking(FOUR, {"all": ranking})
    tables, legend = legend_of(data)
    marks = {line.split()[1]: line[2:3] for line in tables.splitlines() if line[1:2] == "."}
    assert marks == {"nose": " ", "mouth": "=", "eyes": "?", "brows": " "}
    assert legend["?"].startswith("no CI of the difference from the next part")
    assert "?" not in legend_of(with_ranking(FOUR, {"all": ranking[:2]}))[1], "explained only where it occurs"
    page = Page(render_report(data))
    cells = [text for _, text in page.all("td")]
    assert "? +0.0200 no CI: 9.5 effective subjects" in cells and "≈ +0.010 [−0.010, +0.030]" in cells
    heading = "difference from the next part (≈: not significant"
    assert f"{heading}; ?: no CI)" in [text for _, text in page.all("th")]
    without = Page(render_report(with_ranking(FOUR, {"all": ranking[:2]})))
    assert f"{heading})" in [text for _, text in without.all("th")]


def test_ranks_are_said_to_be_corrected_where_the_mark_is_not() -> None:
    assert "holds for all parts at once (Holm-corrected); = is not corrected" in legend_of(PAIR)[1]["rank 95 % CI"]
    assert "Holm" not in results_text(FEW.figures)


def without_cis(data: ReportData, effective: dict[str, float]) -> ReportData:
    """The data with a hand-made ranking in which some parts have no CI for so many effective subjects."""
    with_ci = Interval(0.1, 0.01, 0.08, 0.12, 30)
    ranking = [
        Ranked(
            part,
            UNKNOWN._replace(value=0.2, effective=effective[part]) if part in effective else with_ci,
            math.nan,
            UNKNOWN,
            1,
            4,
            True,
        )
        for part in ("brows", "nose", "eyes", "mouth")
    ]
    return with_ranking(data, {"all": ranking})


def reason_of(data: ReportData) -> list[str]:
    """The lines of the terminal that say why parts have no CI, as one text for each group."""
    found = re.findall(r"^    no CI for .*(?:\n    .*)*", results_text(data.figures), re.M)
    return [" ".join(text.split()) for text in found]


def test_parts_without_a_ci_are_named_with_the_reason() -> None:
    found = without_cis(FOUR, {"brows": 9.52, "eyes": 9.58})
    assert reason_of(found) == [
        "no CI for brows, eyes: 9.5 effective subjects; 10 are needed. --weight subjects may give one"
    ]
    assert reason_of(FOUR) == []
    rows = [
        dataclasses.replace(row, undetected=3, photos_compared=row.photos - 3) if row.part == "brows" else row
        for row in FOUR.results
    ]
    two = with_figures(without_cis(FOUR, {"brows": 9.99, "eyes": 7}), results=rows)
    assert reason_of(two) == [
        "no CI for brows: 9.9 effective subjects (3 photos without the part are left out); "
        "for eyes: 7.0 effective subjects; 10 are needed. --weight subjects may give one"
    ]
    assert all(len(line) <= 110 for line in results_text(two.figures).splitlines())
    kept = [dataclasses.replace(row, photos_compared=row.photos) for row in rows]
    assert "left out" not in reason_of(with_figures(two, results=kept))[0]


def test_photos_on_which_the_control_has_no_place_are_counted() -> None:
    rows = [
        dataclasses.replace(row, photos_compared=row.photos_compared - 1)
        if (row.part, row.comparison) == ("nose", CONTROL)
        else row
        for row in MOVED.results
    ]
    effect = UNKNOWN._replace(value=0.2, effective=9.97)
    ranking = [Ranked(part, effect, math.nan, UNKNOWN, 1, 2, True) for part in ("nose", "mouth")]
    found = with_figures(with_ranking(MOVED, {"all": ranking}), results=rows)
    assert reason_of(found)[0].startswith(
        "no CI for nose: 9.9 effective subjects (1 photo in which the control does not fit is left out); "
        "for mouth: 9.9 effective subjects; 10 are needed"
    )
    assert "(both shifts are from the photos in which the control fits)" in results_text(found.figures)
    page = render_report(found)
    assert page.count("<td>not ruled out</td>") == 2


def test_groups_are_compared_in_a_line() -> None:
    found = re.search(
        r"^impostor shift, differences between groups: .*(?:\n    .*)*", results_text(EVERYTHING.figures), re.M
    )
    significant = [
        each
        for each in EVERYTHING.figures.shift_differences
        if each.occlusion == EVERYTHING.main_method and each.p_holm < 0.05
    ]
    assert found is not None and significant
    first, *lines = found[0].splitlines()
    assert first.startswith(f"impostor shift, differences between groups: {len(significant)} of 2 significant")
    assert [line.split()[:4] for line in lines] == [[each.part, "CM", "-", "CF"] for each in significant]
    differences = [dataclasses.replace(each, p_holm=0.05) for each in EVERYTHING.figures.shift_differences]
    text = results_text(dataclasses.replace(EVERYTHING.figures, shift_differences=differences))
    assert "impostor shift, differences between groups: none of 2 significant" in text
    differences = [dataclasses.replace(each, difference=UNKNOWN) for each in differences]
    text = results_text(dataclasses.replace(EVERYTHING.figures, shift_differences=differences))
    assert "impostor shift, differences between groups: no CIs\n    too few subjects\n" in text
    assert "impostor shift, differences between groups" not in results_text(MOVED.figures)


def test_unaligned_photos_are_warned_of_at_the_top() -> None:
    problem = "has its face 15% of the side away from where ArcFace expects it"
    page = Page(render_report(dataclasses.replace(MOVED, unaligned=problem)))
    warnings = [text for attributes, text in page.all("p") if attributes.get("class") == "warning"]
    assert any(f"A sample photo {problem}." in text and "--align" in text for text in warnings)
    assert "not be aligned" not in render_report(MOVED)


def test_a_weighting_is_advised_only_where_it_gives_a_ci() -> None:
    advice, unknown = "--weight subjects", "No CI is computed, so the uncertainty of this result is unknown."
    found = without_cis(FOUR, {"brows": 9.5})
    assert advice in reason_of(found)[0] and f"{unknown} Weighting all pairs of subjects equally" in page_text(found)
    without = [
        dataclasses.replace(row, impostor_shift_subjects=UNKNOWN) if row.part == "brows" else row
        for row in FOUR.results
    ]
    for changes in ({"results": without}, {"weight": "subjects"}):
        other = with_figures(found, **changes)
        assert advice not in reason_of(other)[0]
        assert unknown in page_text(other) and f"({advice}) may give" not in page_text(other)
    # No weighting helps two subjects.
    assert reason_of(FEW) == ["no CI for any part: 2.0 effective subjects; 10 are needed"]


def page_text(data: ReportData) -> str:
    return " ".join(
        text for attributes, text in Page(render_report(data)).all("p") if attributes.get("class") == "answer"
    )


@pytest.mark.parametrize(("weight", "shown", "hidden"), [("pairs", "0.111", "0.222"), ("subjects", "0.222", "0.111")])
def test_a_row_has_one_weighting(weight: Weight, shown: str, hidden: str) -> None:
    by_pairs, by_subjects = Interval(0.1111, 0, 0.1110, 0.1112, 30), Interval(0.2222, 0, 0.2221, 0.2223, 30)
    columns = ("impostor_shift", "control_shift", "authentic_shift", "importance")
    figures: dict[str, Any] = dict.fromkeys(columns, by_pairs) | {f"{name}_subjects": by_subjects for name in columns}
    rows = [
        dataclasses.replace(row, replaced=0.01, shift_per_percent=by_pairs, **figures) for row in EVERYTHING.results
    ]
    data = dataclasses.replace(EVERYTHING, design=dataclasses.replace(EVERYTHING.design, weight=weight))
    data = with_figures(data, results=rows, weight=weight)
    text = results_text(data.figures)
    assert shown in text and hidden not in text
    assert ("all pairs of subjects equally weighted" in text) == (weight == "subjects")
    page = Page(render_report(data))
    for name in ("ranking", "keep-only"):
        section = next(found for attributes, found in page.all("section") if attributes.get("id") == name)
        assert f"+{shown}" in section and hidden not in section, name


def test_the_shifts_by_subjects_add_up() -> None:
    rows = [row for row in EVERYTHING.results if row.comparison == WITHIN and row.control == "moved"]
    assert rows
    for row in rows:
        difference = row.impostor_shift_subjects.value - row.control_shift_subjects.value
        assert row.importance_subjects.value == pytest.approx(difference, abs=1e-9)
