"""Figures pooled over groups that share subjects: by subject, against sums over subjects and bootstrap draws."""

import doctest
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.analysis import pooling
from facepart.analysis.influence import Influence
from facepart.analysis.intervals import interval, mean_interval
from facepart.analysis.pooling import linked_groups, pooled
from facepart.analysis.ranking import PartEffects, Ranked, order_parts, rank_parts
from facepart.analysis.results import ALL_GROUPS

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=4)


@given(st.dictionaries(st.sampled_from(["CM", "CF", "AM", "AF", "young"]), NAMES, min_size=1))
def test_sets_of_groups_share_no_subjects_and_cannot_be_parted(subjects: dict[str, list[str]]) -> None:
    found = linked_groups(subjects)
    assert sorted(group for linked in found for group in linked) == sorted(subjects)
    unions = [{name for group in linked for name in subjects[group]} for linked in found]
    assert sum(map(len, unions)) == len(set().union(*unions))
    for linked in found:
        # From the first group, all others of its set are reached through shared subjects.
        reached, known = {linked[0]}, set(subjects[linked[0]])
        for _ in linked:
            reached |= {group for group in linked if known & set(subjects[group])}
            known |= {name for group in reached for name in subjects[group]}
        assert reached == set(linked)


def test_shared_subjects_count_with_what_they_add_to_each_group() -> None:
    rng = np.random.default_rng(0)
    subjects = {"young": list("abcdefghijkl"), "men": list("qrstuvwxyz"), "old": list("ghijklmnop")}
    figures = {
        group: Influence(value, rng.standard_normal(len(subjects[group])), 0.5, float(len(subjects[group])))
        for group, value in (("young", 1.0), ("men", 4.0), ("old", 2.0))
    }
    linked, men = pooled(figures, subjects)
    added = dict.fromkeys("abcdefghijklmnop", 0.0)
    for group in ("young", "old"):
        for name, own in zip(subjects[group], figures[group].by_subject, strict=True):
            added[name] += own
    # The mean of the two is the mean over the three groups.
    assert (linked.value + men.value) / 2 == pytest.approx(7 / 3)
    np.testing.assert_allclose(linked.by_subject / 2, np.array(list(added.values())) / 3)
    np.testing.assert_allclose(men.by_subject / 2, figures["men"].by_subject / 3)
    assert (linked.effective, men.effective) == (10, 10)
    assert linked.double_counted == 0
    assert men.double_counted == pytest.approx(0.5 * 4 / 9)


def test_the_same_group_twice_is_no_surer_than_once() -> None:
    """As where a table by photo puts the smiling photos of the same subjects into a group of their own."""
    rng = np.random.default_rng(1)
    names = [f"{number:02}" for number in range(50)]
    figure = Influence(0.1, rng.standard_normal(50) * 0.01 / 50, 0.0, 50.0)
    figures, same = {"neutral": figure, "smiling": figure}, {"neutral": names, "smiling": names}
    assert mean_interval(pooled(figures, same)) == pytest.approx(interval(figure))
    others = {**same, "smiling": [f"other {name}" for name in names]}
    assert mean_interval(pooled(figures, others)).error == pytest.approx(interval(figure).error / math.sqrt(2))


def ranking_of_all(groups: dict[str, PartEffects]) -> list[Ranked]:
    differences = {
        (group, one, other): groups[group].effects[one].minus(groups[group].effects[other])
        for order in order_parts(groups).values()
        for group in groups
        for one, other in pairwise(order)
    }
    return rank_parts(groups, differences)[ALL_GROUPS]


def test_subjects_of_many_groups_vary_as_much_in_resamples_as_in_intervals() -> None:
    """Sixty subjects, each in some of six groups: few are in just the same ones, and these are not drawn alone."""
    rng = np.random.default_rng(2)
    names = np.array([f"{number:02}" for number in range(60)])
    own = rng.standard_normal((2, 60))
    groups = {}
    for group in "ABCDEF":
        chosen = rng.random(60) < 0.5
        by_subject = own[:, chosen] - own[:, chosen].mean(axis=1, keepdims=True)
        by_subject /= chosen.sum()
        count = float(chosen.sum())
        nose, eyes = (Influence(value, each, 0.0, count) for value, each in zip((0.15, 0.0), by_subject, strict=True))
        groups[group] = PartEffects({"nose": nose, "eyes": eyes}, names[chosen].tolist())
    patterns = {tuple(name in found.subjects for found in groups.values()) for name in names}
    assert len(patterns) > 30
    first, _ = ranking_of_all(groups)
    # The effects are sums over many subjects, so that they are all but normal.
    difference = first.difference_to_next
    expected = 0.5 * math.erfc(-difference.value / difference.error / math.sqrt(2))
    assert 0.6 < expected < 0.95
    assert first.ranked_first == pytest.approx(expected, abs=0.04)


def test_a_part_without_an_interval_leaves_the_ranks_of_others_known() -> None:
    rng = np.random.default_rng(3)
    values = {"nose": 0.5, "eyes": 0.2, "mouth": 0.1}
    groups = {}
    for group in ("CM", "CF"):
        effects = {
            part: Influence(value, rng.standard_normal(30) * 0.001, 0.0, 30.0) for part, value in values.items()
        }
        groups[group] = PartEffects(effects, [f"{group} {number}" for number in range(30)])
    # In one group, too few subjects have a photo with the eyes found.
    few = groups["CF"].effects["eyes"]._replace(effective=6.0)
    groups["CF"] = groups["CF"]._replace(effects={**groups["CF"].effects, "eyes": few})
    nose, eyes, mouth = ranking_of_all(groups)
    assert math.isnan(eyes.effect.low)
    assert (eyes.rank_low, eyes.rank_high, eyes.may_be_first) == (1, 3, True)
    assert (nose.rank_low, nose.rank_high, nose.may_be_first) == (1, 2, True)
    assert (mouth.rank_low, mouth.rank_high, mouth.may_be_first) == (2, 3, False)
    # Which part is first in how many resamples is not known, since that part may be.
    assert all(math.isnan(each.ranked_first) for each in (nose, eyes, mouth))


def test_the_example_in_the_docstring_runs() -> None:
    found = doctest.testmod(pooling)
    assert found.attempted > 0
    assert found.failed == 0
