"""Rankings: orders, first places and differences counted out one by one, and Kendall's tau against SciPy."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import kendalltau
from scipy.stats import t as student

from facepart.analysis.influence import Influence
from facepart.analysis.intervals import UNKNOWN, variance
from facepart.analysis.ranking import (
    RESAMPLES,
    PartEffects,
    Ranked,
    compare_methods,
    order_parts,
    rank_parts,
    tied_ranks,
)
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, PartResult

PARTS = ("eyes", "nose", "mouth", "hair")


def influence(value: float, people: int, seed: int, spread: float = 0.01) -> Influence:
    own = np.random.default_rng(seed).standard_normal(people) * spread / people
    return Influence(value, own - own.mean(), 0.0, people)


def effects_of(values: dict[str, float], people: int, seed: int, spread: float = 0.01, name: str = "") -> PartEffects:
    parts = {
        part: influence(value, people, seed + place, spread) for place, (part, value) in enumerate(values.items())
    }
    return PartEffects(parts, [f"{name or seed}-{number:03}" for number in range(people)])


def differences_of(groups: dict[str, PartEffects]) -> dict[tuple[str, str, str], Influence]:
    return {
        (group, first, second): found.effects[first].minus(found.effects[second])
        for name, order in order_parts(groups).items()
        for group, found in groups.items()
        if name in (ALL_GROUPS, group)
        for first, second in pairwise(order)
    }


GROUPS = {
    "CM": effects_of({"eyes": 0.01, "nose": 0.05, "mouth": 0.03, "hair": 0.02}, 30, 1, spread=0.08),
    "CF": effects_of({"eyes": 0.06, "nose": 0.03, "mouth": 0.031, "hair": -0.01}, 12, 2, spread=0.08),
}


def test_parts_come_in_the_order_of_their_effects_and_the_mean_of_groups_first() -> None:
    assert order_parts({"CM": GROUPS["CM"]}) == {"CM": ["nose", "mouth", "hair", "eyes"]}
    orders = order_parts(GROUPS)
    assert list(orders) == [ALL_GROUPS, "CM", "CF"]
    assert orders["CF"] == ["eyes", "mouth", "nose", "hair"]
    # Means 0.035, 0.04, 0.0305 and 0.005, though CM has more people.
    assert orders[ALL_GROUPS] == ["nose", "eyes", "mouth", "hair"]


def test_first_places_are_those_of_normal_effects() -> None:
    """The share of resamples in which a part is first, against many draws of effects with the same covariance."""
    found = rank_parts(GROUPS, differences_of(GROUPS))
    rng = np.random.default_rng(0)
    for name, groups in {ALL_GROUPS: ["CM", "CF"], "CM": ["CM"], "CF": ["CF"]}.items():
        drawn = np.zeros((len(PARTS), 100_000))
        for group in groups:
            values = np.array([GROUPS[group].effects[part].value for part in PARTS])
            influences = np.array([GROUPS[group].effects[part].by_subject for part in PARTS])
            drawn += values[:, None] + influences @ rng.standard_normal((influences.shape[1], drawn.shape[1]))
        expected = np.bincount(drawn.argmax(axis=0), minlength=len(PARTS)) / drawn.shape[1]
        shares = {each.part: each.ranked_first for each in found[name]}
        assert sum(shares.values()) == pytest.approx(1)
        np.testing.assert_allclose([shares[part] for part in PARTS], expected, atol=0.04)
        assert sorted(expected)[-2] > 0.05  # so that the shares mean something


def test_a_part_whose_variance_few_make_up_leaves_the_others_distinct() -> None:
    """As an FMR that hardly changes: few subjects make up its variance, which says nothing of the other parts."""
    clear = effects_of({"eyes": 0.5, "nose": 0.3}, 60, 4, spread=0.25)
    few = {part: effect._replace(degrees=14.0) for part, effect in clear.effects.items()}
    alone = PartEffects(few, clear.subjects)
    with_mouth = PartEffects({**few, "mouth": influence(0.0, 60, 9, 0.25)._replace(degrees=1.5)}, clear.subjects)
    for groups in ({"CM": alone}, {"CM": with_mouth}):
        eyes, nose, *_ = rank_parts(groups, differences_of(groups))["CM"]
        assert (eyes.rank_low, eyes.rank_high > 1, eyes.may_be_first, nose.may_be_first) == (1, False, True, False)
    # Beside it stands how many subjects the effect rests on, not how many make up its variance.
    mouth = rank_parts({"CM": with_mouth}, differences_of({"CM": with_mouth}))["CM"][-1]
    assert mouth.effect.effective == pytest.approx(60)
    reach = student(1.5).ppf(0.975) * mouth.effect.error
    assert mouth.effect.high == pytest.approx(mouth.effect.value + reach)


def test_first_places_are_whole_resamples_of_each_stratum() -> None:
    """A subject who alone decides is left out of some resamples: of a share (1 - 1/p)^p."""
    people = 20
    alone = np.zeros(people)
    alone[7] = 1.0
    names = [f"{number:02}" for number in range(people)]
    parts = {"nose": Influence(0.5, alone, 0.0, people), "mouth": Influence(0.0, np.zeros(people), 0.0, people)}
    group = PartEffects(parts, names)
    (first, _) = rank_parts({"CM": group}, differences_of({"CM": group}))["CM"]
    # nose is 0.5 + (w - 1): first unless the subject is not drawn.
    assert first.ranked_first == pytest.approx(1 - (1 - 1 / people) ** people, abs=4 * 0.5 / math.sqrt(RESAMPLES))


def test_the_mean_over_groups_of_the_same_people_is_no_surer_than_either() -> None:
    """As where a table by photo puts each subject's smiling photos into one group and the others into another."""
    one = effects_of({"nose": 0.10, "eyes": 0.09}, 50, 1, name="same")
    groups = {"neutral": one, "smiling": one}
    found = rank_parts(groups, differences_of(groups))
    for all_groups, alone in zip(found[ALL_GROUPS], found["neutral"], strict=True):
        assert all_groups.effect.error == pytest.approx(alone.effect.error, rel=0.02)
        assert all_groups.ranked_first == alone.ranked_first
        assert all_groups.difference_to_next.error == pytest.approx(alone.difference_to_next.error, nan_ok=True)
    # Of other people, it is surer by the square root of 2.
    apart = {"neutral": one, "smiling": one._replace(subjects=[f"other {name}" for name in one.subjects])}
    both = rank_parts(apart, differences_of(apart))[ALL_GROUPS]
    assert both[0].effect.error == pytest.approx(found["neutral"][0].effect.error / math.sqrt(2), rel=1e-6)


def test_a_part_without_a_rank_in_one_group_has_none_in_all() -> None:
    fewer = {part: effect for part, effect in GROUPS["CF"].effects.items() if part != "eyes"}
    groups = {"CM": GROUPS["CM"], "CF": GROUPS["CF"]._replace(effects=fewer)}
    found = rank_parts(groups, differences_of(groups))
    assert {each.part for each in found["CM"]} == set(PARTS)
    assert (
        {each.part for each in found["CF"]} == {each.part for each in found[ALL_GROUPS]} == {"nose", "mouth", "hair"}
    )


def test_rank_intervals_hold_the_rank_and_the_first_part_may_be_first() -> None:
    for ranking in rank_parts(GROUPS, differences_of(GROUPS)).values():
        assert ranking[0].may_be_first
        for rank, each in enumerate(ranking, 1):
            assert each.rank_low <= rank <= each.rank_high
            assert each.may_be_first or each.rank_low > 1


def spread_of(influences: list[tuple[Influence, int]]) -> tuple[float, float]:
    """Standard error of a mean over groups, and Welch's degrees of freedom, by their definitions."""
    variances = [variance(each) for each, count in influences]
    weights = [spread**2 / (count - 1) for spread, (_, count) in zip(variances, influences, strict=True)]
    degrees = sum(variances) ** 2 / sum(weights)
    return math.sqrt(sum(variances)) / len(variances), degrees


def test_effects_and_differences_of_all_are_means_over_groups_with_welchs_degrees() -> None:
    differences = differences_of(GROUPS)
    found = rank_parts(GROUPS, differences)
    for name, groups in {ALL_GROUPS: ["CM", "CF"], "CM": ["CM"], "CF": ["CF"]}.items():
        for each, after in zip(found[name], [*found[name][1:], None], strict=True):
            known = [(GROUPS[group].effects[each.part], len(GROUPS[group].subjects)) for group in groups]
            compared = [(each.effect, known)]
            if after is None:
                assert all(math.isnan(figure) for figure in each.difference_to_next[:5])
            else:
                assert each.difference_to_next.value == pytest.approx(each.effect.value - after.effect.value)
                sets = [(differences[group, each.part, after.part], len(GROUPS[group].subjects)) for group in groups]
                compared += [(each.difference_to_next, sets)]
            for interval, influences in compared:
                error, degrees = spread_of(list(influences))
                reach = student.ppf(0.975, degrees) * error
                assert interval.value == pytest.approx(np.mean([one.value for one, _ in influences]))
                assert interval.error == pytest.approx(error)
                assert interval.high - interval.value == pytest.approx(reach, rel=1e-3)
                assert interval.value - interval.low == pytest.approx(reach, rel=1e-3)


def test_neighbours_are_tied_where_the_interval_of_their_difference_holds_zero() -> None:
    def ranked(gap: float) -> list[Ranked]:
        group = effects_of({"nose": 0.1 + gap, "mouth": 0.1}, 40, 3)
        return rank_parts({"CM": group}, differences_of({"CM": group}))["CM"]

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
    group = PartEffects(parts, [f"{number:02}" for number in range(40)])
    first, second = rank_parts({"CM": group}, differences_of({"CM": group}))["CM"]
    assert first.effect.low < second.effect.value < first.effect.high
    assert not first.tied


def test_a_group_of_few_people_gives_no_intervals_to_all() -> None:
    groups = {**GROUPS, "AF": effects_of(dict.fromkeys(PARTS, 0.02), 9, 8)}
    found = rank_parts(groups, differences_of(groups))
    for name in (ALL_GROUPS, "AF"):
        assert all(math.isfinite(each.effect.value) and math.isnan(each.effect.low) for each in found[name])
        assert not any(each.tied for each in found[name])
        assert all(math.isnan(each.ranked_first) and each.may_be_first for each in found[name])
        assert {(each.rank_low, each.rank_high) for each in found[name]} == {(1, len(PARTS))}
    assert all(math.isfinite(each.effect.low) for each in found["CM"])


def row(group: str, part: str, occlusion: str, shift: float, comparison: str = WITHIN) -> PartResult:
    found = PartResult(group, part, occlusion, comparison, 20, 10, 0, 20, 10, 0.1, 0.1)
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


def test_methods_are_compared_by_the_weighting_of_the_study() -> None:
    reversed_shifts = [
        dataclasses.replace(each, impostor_shift_subjects=each.impostor_shift.scaled(-1)) for each in rows(("CM",))
    ]
    by_pairs, by_subjects = (compare_methods(reversed_shifts, "blur", weight) for weight in ("pairs", "subjects"))
    assert [each.parts[::-1] for each in by_pairs] == [each.parts for each in by_subjects]
    assert by_pairs[1].tau == by_subjects[1].tau


def test_one_group_has_no_mean_and_one_part_no_tau() -> None:
    found = compare_methods(rows(("CM",)), "blur")
    assert [each.group for each in found] == ["CM", "CM"]
    single = compare_methods([each for each in rows(("CM",)) if each.part == "nose"], "blur")
    assert [(each.parts, each.same_first) for each in single] == [(["nose"], True)] * 2
    assert all(math.isnan(each.tau) for each in single)


def test_equal_effects_share_a_rank() -> None:
    # Of differences of shares, the last bits may differ.
    assert 0.3 - 0.2 < 0.1
    assert tied_ranks([0.5, 0.1, 0.3 - 0.2, 0.0, 0.0, -0.1]) == [1, 2, 2, 4, 4, 6]
    assert tied_ranks([1e-4, 9.99e-5]) == [1, 2] and tied_ranks([math.nan, math.nan]) == [1, 2]


def test_parts_on_few_photos_have_no_rank_by_any_method() -> None:
    """In the mean of groups, neither have those on few photos of a single group."""
    hardly = [
        dataclasses.replace(each, undetected=each.photos // 2 + 1)
        if (each.group, each.part) == ("CF", "hair")
        else each
        for each in rows(("CM", "CF"))
    ]
    for found in compare_methods(hardly, "blur"):
        assert set(found.parts) == set(PARTS) - ({"hair"} if found.group != "CM" else set())
    half = [dataclasses.replace(each, undetected=each.photos // 2) for each in rows(("CM", "CF"))]
    assert compare_methods(half, "blur") == compare_methods(rows(("CM", "CF")), "blur")
