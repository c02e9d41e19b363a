"""The lines under the terminal's tables: what each column means, of the columns and parts that are there alone."""

import dataclasses

import pytest

from facepart.analysis.choices import CRITERION_NAMES
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import results_text
from tests.report_data import make_data

PAIR = make_data(("CM", "CF"), ("eyes", "nose"), people=30)
MOVED = make_data(("all",), ("nose", "mouth"), people=30, control=True)
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
