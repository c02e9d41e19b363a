"""The figure of a ranking."""

import math

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.plots.ranking import MOST_GROUPS, Effect, ranking_axes

KNOWN = Effect(0.02, 0.01, 0.03)
WITHOUT_CI = Effect(0.02, math.nan, math.nan)


def test_a_part_that_is_ranked_in_one_group_alone_is_drawn_below_the_others() -> None:
    axes = ranking_axes({"CM": {"nose": KNOWN}, "CF": {"nose": KNOWN, "eyes": KNOWN}}, ["nose"], "importance")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["nose", "eyes"]
    dots = [np.asarray(line.get_xydata()).tolist() for line in axes.lines if line.get_marker() == "o"]
    assert [value for ((value, _),) in dots] == [0.02] * 3
    assert axes.get_ylim() == (1.5, -0.5)


@pytest.mark.parametrize(("effect", "label"), [(KNOWN, "Importance (95 % CI)"), (WITHOUT_CI, "Importance")])
def test_the_axis_names_cis_only_where_there_are_any(effect: Effect, label: str) -> None:
    assert ranking_axes({"CM": {"nose": effect}}, ["nose"], "importance").get_xlabel() == label


def test_more_groups_than_colours_are_refused() -> None:
    groups = {f"g{number}": {"nose": KNOWN} for number in range(MOST_GROUPS + 1)}
    with pytest.raises(FacepartError, match=f"1 to {MOST_GROUPS} groups, not {MOST_GROUPS + 1}"):
        ranking_axes(groups, ["nose"], "importance")
