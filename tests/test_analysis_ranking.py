"""Rankings: orders, first places and leads counted out one by one, and Kendall's tau against SciPy."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import kendalltau
from scipy.stats import t as student

from facepart.analysis.influence import Influence
from facepart.analysis.intervals import UNKNOWN, variance
from facepart.analysis.ranking import (
    PairwiseDifference,
    PartEffects,
    Ranked,
    compare_methods,
    order_parts,
    rank_parts,
)
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, PartResult

PARTS = ("eyes", "nose", "mouth", "hair")


def influence(value: float, people: int, seed: int, spread: float = 0.01) -> Influence:
    own = np.random.default_rng(seed).standard_normal(people) * spread / people
    return Influence(value, own - own.mean(), 0.0, people)


def worth_of(values: dict[str, float], people: int, seed: int, draws: int = 500, noise: float = 0.02) -> PartEffects:
    rng = np.random.default_rng(seed)
    parts = {part: influence(value, people, seed + place) for place, (part, value) in enumerate(values.items())}
    return PartEffects(
        parts, people, {part: value + noise * rng.standard_normal(draws) for part, value in values.items()}
    )


def leads_of(worths: dict[str, PartEffects]) -> dict[tuple[str, str, str], PairwiseDifference]:
    return {
        (group, first, second): PairwiseDifference(worth.effects[first].minus(worth.effects[second]), worth.subjects)
        for name, order in order_parts(worths).items()
        for group, worth in worths.items()
        if name in (ALL_GROUPS, group)
        for first, second in pairwise(order)
    }


WORTHS = {
    "CM": worth_of({"eyes": 0.01, "nose": 0.05, "mouth": 0.03, "hair": 0.02}, 30, 1),
    "CF": worth_of({"eyes": 0.06, "nose": 0.03, "mouth": 0.031, "hair": -0.01}, 12, 2),
}


def test_parts_come_in_the_order_of_their_worth_and_the_mean_of_groups_first() -> None:
    assert order_parts({"CM": WORTHS["CM"]}) == {"CM": ["nose", "mouth", "hair", "eyes"]}
    orders = order_parts(WORTHS)
    assert list(orders) == [ALL_GROUPS, "CM", "CF"]
    assert orders["CF"] == ["eyes", "mouth", "nose", "hair"]
    # Means 0.035, 0.04, 0.0305 and 0.005, though CM has more people.
    assert orders[ALL_GROUPS] == ["nose", "eyes", "mouth", "hair"]


def test_first_places_are_counted_draw_by_draw() -> None:
    found = rank_parts(WORTHS, leads_of(WORTHS))
    for name, groups in {ALL_GROUPS: ["CM", "CF"], "CM": ["CM"], "CF": ["CF"]}.items():
        counted = dict.fromkeys(PARTS, 0)
        for draw in range(500):
            values = {part: math.fsum(WORTHS[group].resampled[part][draw] for group in groups) for part in PARTS}
            counted[max(values, key=lambda part: values[part])] += 1
        assert {each.part: each.ranked_first for each in found[name]} == {part: counted[part] / 500 for part in PARTS}
        assert sorted(counted.values())[-2] > 0  # so that the counts tell something


def test_at_a_tie_the_part_that_is_worth_more_comes_first() -> None:
    values = {"nose": 0.1, "mouth": 0.2}
    parts = {part: influence(value, 20, 1) for part, value in values.items()}
    worth = PartEffects(parts, 20, {"nose": np.array([0.1, 0.3, 0.2]), "mouth": np.array([0.1, 0.3, 0.1])})
    (ranking,) = rank_parts({"CM": worth}, leads_of({"CM": worth})).values()
    assert [(each.part, each.ranked_first) for each in ranking] == [("mouth", 2 / 3), ("nose", 1 / 3)]


def test_without_resamplings_no_first_places() -> None:
    worth = worth_of({"nose": 0.1, "mouth": 0.2}, 20, 1, draws=0)
    (ranking,) = rank_parts({"CM": worth}, leads_of({"CM": worth})).values()
    assert [each.part for each in ranking] == ["mouth", "nose"]
    assert all(math.isnan(each.ranked_first) for each in ranking)


def spread_of(influences: list[tuple[Influence, int]]) -> tuple[float, float]:
    """Standard error of a mean over groups, and Welch's degrees of freedom, by their definitions."""
    variances = [variance(each) for each, count in influences]
    weights = [spread**2 / (count - 1) for spread, (_, count) in zip(variances, influences, strict=True)]
    degrees = sum(variances) ** 2 / sum(weights)
    return math.sqrt(sum(variances)) / len(variances), degrees


def test_worths_and_leads_of_all_are_means_over_groups_with_welchs_degrees() -> None:
    leads = leads_of(WORTHS)
    found = rank_parts(WORTHS, leads)
    for name, groups in {ALL_GROUPS: ["CM", "CF"], "CM": ["CM"], "CF": ["CF"]}.items():
        for each, after in zip(found[name], [*found[name][1:], None], strict=True):
            known = [(WORTHS[group].effects[each.part], WORTHS[group].subjects) for group in groups]
            compared = [(each.effect, known)]
            if after is None:
                assert all(math.isnan(figure) for figure in each.difference_to_next)
            else:
                assert each.difference_to_next.value == pytest.approx(each.effect.value - after.effect.value)
                compared += [(each.difference_to_next, [leads[group, each.part, after.part] for group in groups])]
            for interval, influences in compared:
                error, degrees = spread_of(list(influences))
                reach = student.ppf(0.975, degrees) * error
                assert interval.value == pytest.approx(np.mean([one.value for one, _ in influences]))
                assert interval.error == pytest.approx(error)
                assert interval.high - interval.value == pytest.approx(reach, rel=1e-3)
                assert interval.value - interval.low == pytest.approx(reach, rel=1e-3)


def test_neighbours_are_tied_where_the_interval_of_their_difference_holds_zero() -> None:
    def ranked(gap: float) -> list[Ranked]:
        worth = worth_of({"nose": 0.1 + gap, "mouth": 0.1}, 40, 3)
        return rank_parts({"CM": worth}, leads_of({"CM": worth}))["CM"]

    apart = ranked(0.0)[0].difference_to_next
    reach = apart.high - apart.value
    assert reach > 0
    assert ranked(0.95 * reach)[0].tied
    assert not ranked(1.05 * reach)[0].tied
    # The last has no next, and cannot be tied with it.
    assert not ranked(0.0)[1].tied


def test_people_who_move_two_parts_alike_do_not_blur_their_order() -> None:
    """The difference is paired: what a person adds to both cancels, however wide the intervals of the two are."""
    shared = influence(0.0, 40, 5, spread=1.0).by_subject
    parts = {"nose": Influence(0.11, shared, 0.0, 40), "mouth": Influence(0.1, shared + 1e-6 * shared[::-1], 0.0, 40)}
    worth = PartEffects(parts, 40, {part: np.array([each.value]) for part, each in parts.items()})
    first, second = rank_parts({"CM": worth}, leads_of({"CM": worth}))["CM"]
    assert first.effect.low < second.effect.value < first.effect.high
    assert not first.tied


def test_a_group_of_few_people_gives_no_intervals_to_all() -> None:
    worths = {**WORTHS, "AF": worth_of(dict.fromkeys(PARTS, 0.02), 9, 8)}
    found = rank_parts(worths, leads_of(worths))
    for name in (ALL_GROUPS, "AF"):
        assert all(math.isfinite(each.effect.value) and math.isnan(each.effect.low) for each in found[name])
        assert not any(each.tied for each in found[name])
    assert all(math.isfinite(each.effect.low) for each in found["CM"])


def row(group: str, part: str, occlusion: str, shift: float, comparison: str = WITHIN) -> PartResult:
    found = PartResult(group, part, occlusion, comparison, 20, 10, 0, 0.1, 0.1)
    return PartResult(**{**vars(found), "impostor_shift": UNKNOWN._replace(value=shift)})


SHIFTS = {
    ("CM", "blur"): [0.04, 0.03, 0.02, 0.01],
    ("CM", "grey"): [0.03, 0.04, 0.02, -0.01],
    ("CF", "blur"): [0.01, 0.02, 0.02, 0.06],
    ("CF", "grey"): [0.06, 0.01, 0.05, 0.05],
}


def rows(groups: tuple[str, ...]) -> list[PartResult]:
    found = []
    for (group, way), shifts in sorted(SHIFTS.items(), key=lambda item: -len(item[0][0]) - (item[0][1] == "grey")):
        if group in groups:
            found += [row(group, part, way, shift) for part, shift in zip(PARTS, shifts, strict=True)]
            # What is no part lost among themselves takes no part in it.
            found += [row(group, part, way, 9 - 2 * shift, CROSS) for part, shift in zip(PARTS, shifts, strict=True)]
            found += [row(group, "hair", way, 99.0, CONTROL)]
    return found


@pytest.mark.parametrize("main", ["blur", "grey"])
def test_ways_are_compared_by_scipys_tau_in_each_group_and_in_the_mean(main: str) -> None:
    found = compare_methods(rows(("CM", "CF")), main)
    other = {"blur": "grey", "grey": "blur"}[main]
    assert [(each.occlusion, each.group) for each in found[:3]] == [
        (main, ALL_GROUPS),
        (main, found[1].group),
        (main, found[2].group),
    ]
    assert {each.occlusion for each in found[3:]} == {other}
    assert len(found) == 6
    for each in found:
        groups = ["CM", "CF"] if each.group == ALL_GROUPS else [each.group]
        ours, theirs = (np.mean([SHIFTS[group, way] for group in groups], axis=0) for way in (main, each.occlusion))
        assert each.tau == pytest.approx(kendalltau(ours, theirs).statistic)
        assert each.same_first == (np.argmax(ours) == np.argmax(theirs))
        assert [theirs[PARTS.index(part)] for part in each.parts] == sorted(theirs, reverse=True)
    # All three figures differ from what the main way has with itself, and groups from their mean.
    assert len({round(each.tau, 6) for each in found}) == 4
    assert {each.same_first for each in found if each.occlusion == other} == {False}


def test_one_group_has_no_mean_and_one_part_no_tau() -> None:
    found = compare_methods(rows(("CM",)), "blur")
    assert [each.group for each in found] == ["CM", "CM"]
    single = compare_methods([each for each in rows(("CM",)) if each.part == "nose"], "blur")
    assert [(each.parts, each.same_first) for each in single] == [(["nose"], True)] * 2
    assert all(math.isnan(each.tau) for each in single)
