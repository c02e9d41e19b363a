"""The lines under the terminal's tables: what each column means, of the columns and parts that are there alone."""

import dataclasses

import pytest

from facepart.analysis.choices import CRITERION_NAMES
from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.ranking import Ranked
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import results_text
from tests.report_data import make_data, with_ranking
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
    assert "? +0.0200 no CI: G* = 9.5" in cells and "≈ +0.0100 [−0.0100, +0.0300]" in cells
    heading = "difference from the next part (≈: not significant"
    assert f"{heading}; ?: no CI)" in [text for _, text in page.all("th")]
    without = Page(render_report(with_ranking(FOUR, {"all": ranking[:2]})))
    assert f"{heading})" in [text for _, text in without.all("th")]


def test_ranks_are_said_to_be_corrected_where_the_mark_is_not() -> None:
    assert "corrected for all pairs of parts (Holm), = is not" in legend_of(PAIR)[1]["rank 95 % CI"]
    assert "Holm" not in results_text(FEW.figures)
