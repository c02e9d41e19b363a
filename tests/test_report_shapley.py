"""The report's section on Shapley values: orders that differ, and sampled values."""

import re
from dataclasses import replace

import numpy as np

from facepart.analysis.choices import D_PRIME, FMR_RATIO, SHIFT
from facepart.analysis.criteria import Unsupported
from facepart.analysis.influence import Influence
from facepart.analysis.intervals import UNKNOWN
from facepart.analysis.results import ALL_GROUPS
from facepart.analysis.shapley import Coalitions
from facepart.analysis.shapley_figures import CoalitionWorths, ShapleyFigures, Worths, measure_shapley
from facepart.report.methods import methods
from facepart.report.page import render_report
from facepart.report.shapley_tables import shapley_section
from tests.report_data import FACTS, make_data

SUBJECTS = [f"{each:03}" for each in range(40)]


def figures_of(parts: list[str], groups: list[str]) -> ShapleyFigures:
    """The second part adds most alone; the first and the third are redundant, and together add more."""
    noise = np.random.default_rng(3).standard_normal((len(parts), 40)) * 1e-4
    coalitions = Coalitions(len(parts))
    worths: list[Worths] = []
    for mask in coalitions.masks:
        inside = [place for place in range(len(parts)) if mask >> place & 1]
        value = 0.1 * (1 in inside) + 0.4 * ({0, 2} <= set(inside))
        worth = Influence(value, noise[inside].sum(axis=0), 0.0, 40.0, 40)
        worths.append({SHIFT: worth, D_PRIME: worth, FMR_RATIO: Unsupported("no false match with eyes occluded")})
    found = {group: CoalitionWorths(80, SUBJECTS, worths) for group in groups}
    return measure_shapley("r", parts, [], coalitions, found)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\xa0", " ").split())


def test_orders_that_differ_are_named_with_the_strongest_interaction() -> None:
    data = make_data(("CM", "CF"), people=30)
    groups = [group.name for group in data.groups]
    data = replace(data, shapley={"r": figures_of(["eyes", "nose", "mouth"], groups)})
    section = shapley_section(data)
    assert section is not None
    assert section.main is not None
    assert section.main.alone_order[0] == "nose"
    assert set(section.main.order[:2]) == {"eyes", "mouth"}
    assert section.main.strongest is not None
    assert (section.main.strongest.first, section.main.strongest.second) == ("eyes", "mouth")
    assert [group.name for group in section.groups] == [ALL_GROUPS] * (len(groups) > 1) + groups
    text = text_of(render_report(data))
    assert "the orders differ. Occluded singly: nose, eyes, mouth." in text
    assert "The strongest significant interaction is that of eyes and mouth" in text
    assert "occluding both does more than the sum of occluding each" in text
    assert "which take account of redundant parts, have another order" in text
    assert "another order than the effects of parts occluded singly; whether Shapley values differ" in text
    assert "By impostor shift, Shapley values , which take account" in text
    assert "No Shapley values by FMR ratio (log): no false match with eyes occluded." in text


def test_sampled_values_have_no_interactions_and_say_how_they_were_sampled() -> None:
    data = make_data(("CM", "CF"), people=30)
    parts = [*data.parts, *data.parts][:9]
    data = replace(data, shapley={"r": figures_of(parts, [group.name for group in data.groups])})
    text = text_of(render_report(data))
    assert "They are sampled: 32 random orders" in text
    assert "Interactions are not computed for sampled values." in text
    assert "Interactions of pairs of parts" not in text


def test_the_methods_text_names_the_criteria_that_have_shapley_values() -> None:
    data = make_data(("CM", "CF"), people=30)
    figures = figures_of(["eyes", "nose", "mouth"], ["CM", "CF"])
    text = " ".join(methods(replace(data, shapley={"r": figures}), FACTS))
    assert "computed exactly, for the mean impostor score and d′ of the same photos." in text
    words = "; its CI was computed"
    without = [replace(row, value=UNKNOWN._replace(value=0.1)) for row in figures.values]
    few = " ".join(methods(replace(data, shapley={"r": replace(figures, values=without)}), FACTS))
    assert words in text and "Each value is a weighted sum of these metrics." in few and words not in few
    none = [replace(row, value=UNKNOWN, reason="no photos") for row in figures.values]
    assert "Shapley" not in " ".join(methods(replace(data, shapley={"r": replace(figures, values=none)}), FACTS))


def test_without_shapley_values_there_is_no_section() -> None:
    data = make_data(("CM", "CF"), people=30)
    assert shapley_section(data) is None
    assert "Shapley" not in render_report(data)
