"""Agreement of recognisers: taus and W against SciPy, intervals against brute force over all orders, and coverage."""

import doctest
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.stats import kendalltau, rankdata
from scipy.stats import t as student

from benchmarks.recogniser_agreement import WORLDS, simulate
from facepart.analysis import recogniser_agreement
from facepart.analysis.choices import FMR_RATIO, SHIFT
from facepart.analysis.design import BASELINE_CONDITION, Condition
from facepart.analysis.group_data import GroupData
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.metrics import kendall_tau, kendall_w
from facepart.analysis.place_variance import VarianceComponent
from facepart.analysis.rank_sets import PairwiseComparisons, significantly_larger
from facepart.analysis.ranking import RESAMPLES, PartEffects
from facepart.analysis.recogniser_agreement import (
    RecogniserAgreement,
    compare_recognisers,
    impostor_spread,
    tau_bounds,
    w_bounds,
)
from facepart.analysis.results import ALL_GROUPS
from facepart.errors import FacepartError
from tests.report_faces import compare, draw_people, embed

PARTS = ("eyes", "nose", "mouth", "brows")
SUBJECTS = 40
Effects = dict[str, dict[str, PartEffects]]


def effects_of(
    truths: Mapping[str, Sequence[float]],
    groups: Sequence[str] = ("CM",),
    spread: float = 0.01,
    subjects: int = SUBJECTS,
    shared: bool = True,
    parts: Sequence[str] = PARTS,
) -> Effects:
    """Effects whose subjects are the same for all recognisers, and move the parts alike in some part."""
    rng = np.random.default_rng(3)
    found: Effects = {}
    names = {group: [f"{'' if shared else group}{number:02}" for number in range(subjects)] for group in groups}
    common = rng.standard_normal((subjects, 1))
    for recogniser, values in truths.items():
        found[recogniser] = {}
        for group in groups:
            each = spread * (common + rng.standard_normal((subjects, len(parts))))
            each -= each.mean(axis=0)
            found[recogniser][group] = PartEffects(
                {
                    part: Influence(value, each[:, place] / (subjects - 1), 0.0, subjects)
                    for place, (part, value) in enumerate(zip(parts, values, strict=True))
                },
                names[group],
            )
    return found


def compared(effects: Effects, spreads: Mapping[str, float] | None = None) -> RecogniserAgreement:
    return compare_recognisers(effects, SHIFT, spreads or dict.fromkeys(effects, 1.0))


@given(st.lists(st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=2, max_size=5))
def test_w_is_that_of_its_definition(rankings: list[list[int]]) -> None:
    ranks = np.array([rankdata(each) for each in rankings])
    count, items = ranks.shape
    ties = sum(size**3 - size for each in ranks for size in np.unique(each, return_counts=True)[1])
    squares = ((ranks.sum(axis=0) - ranks.sum(axis=0).mean()) ** 2).sum()
    largest = count**2 * (items**3 - items) - count * ties
    expected = 12 * squares / largest if largest else math.nan
    assert kendall_w(rankings) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_w_without_ties_follows_from_the_mean_spearman_correlation() -> None:
    rankings = np.random.default_rng(1).standard_normal((4, 7))
    correlations = np.corrcoef(rankdata(rankings, axis=1))
    mean = correlations[np.triu_indices(4, 1)].mean()
    assert kendall_w(rankings) == pytest.approx((1 + 3 * mean) / 4)


def weak_orders(items: int) -> NDArray[np.float64]:
    """All orders of so many items, with ties."""
    found = [each for each in itertools.product(range(items), repeat=items) if set(each) == set(range(max(each) + 1))]
    return np.array(found, np.float64)


def orders_left(larger: NDArray[np.bool_], orders: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orders in which all that is known is true."""
    signs = orders[:, :, None] > orders[:, None, :]
    return orders[(signs >= larger).all(axis=(1, 2))]


def draw_known(rng: np.random.Generator, count: int, items: int) -> NDArray[np.bool_]:
    """What is known of rankings: some pairs of an order that may have ties."""
    values = rng.integers(0, items, (count, items))
    larger = values[:, :, None] > values[:, None, :]
    return np.asarray(larger & (rng.random(larger.shape) < rng.choice([0.2, 0.6, 0.9, 1.0])))


@pytest.mark.parametrize(("count", "items", "draws"), [(2, 3, 30), (2, 4, 12), (3, 3, 20)])
def test_intervals_hold_the_agreement_of_all_orders_that_are_left(count: int, items: int, draws: int) -> None:
    rng, orders = np.random.default_rng(items), weak_orders(items)
    for _ in range(draws):
        larger = draw_known(rng, count, items)
        low, high = w_bounds(larger)
        for chosen in itertools.product(*(orders_left(each, orders) for each in larger)):
            w = kendall_w(chosen)
            assert math.isnan(w) or low - 1e-8 <= w <= high + 1e-8
            if count == 2:
                tau = kendall_tau(*chosen)
                least, largest = tau_bounds(*larger)
                assert math.isnan(tau) or least - 1e-9 <= tau <= largest + 1e-9


def test_the_interval_of_tau_is_attained_where_pairs_do_not_depend_on_each_other() -> None:
    nothing = np.zeros((4, 4), bool)
    assert tau_bounds(nothing, nothing) == (-1, 1)
    assert w_bounds(np.array([nothing, nothing])) == (0, 1)
    first = nothing.copy()
    first[0] = [0, 1, 1, 1]
    left = orders_left(first, weak_orders(4))
    taus = [kendall_tau(one, other) for one in left for other in left]
    # All three other parts in the opposite order.
    assert tau_bounds(first, first) == (min(each for each in taus if not math.isnan(each)), 1.0)


def test_intervals_of_orders_that_are_known_are_single_values() -> None:
    values = np.random.default_rng(2).standard_normal((3, 6))
    larger = values[:, :, None] > values[:, None, :]
    assert w_bounds(larger) == pytest.approx((kendall_w(values),) * 2, abs=3e-9)
    assert tau_bounds(larger[0], larger[1]) == pytest.approx((kendall_tau(*values[:2]),) * 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 6))
def test_bounds_of_w_are_the_least_squares_of_scipy(seed: int, count: int, items: int) -> None:
    larger = draw_known(np.random.default_rng(seed), count, items)
    pairs = list(itertools.combinations(range(items), 2))
    ends = np.array([[(1 if k[a, b] else -1, -1 if k[b, a] else 1) for a, b in pairs] for k in larger], np.float64)
    sums = np.zeros((items, len(pairs)))
    for place, (one, other) in enumerate(pairs):
        sums[one, place], sums[other, place] = 0.5, -0.5

    def least(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
        free = high > low
        fixed = sums @ np.where(free, 0, low)
        if not free.any():
            return float(fixed @ fixed)
        return 2 * float(lsq_linear(sums[:, free], -fixed, (low[free], high[free]), tol=1e-13).cost)

    largest = count**2 * (items**3 - items) / 12
    apart = sum(
        least(ends[a, :, 0] - ends[b, :, 1], ends[a, :, 1] - ends[b, :, 0])
        for a, b in itertools.combinations(range(count), 2)
    )
    expected = least(ends[..., 0].sum(axis=0), ends[..., 1].sum(axis=0)) / largest, 1 - apart / largest
    assert w_bounds(larger) == pytest.approx(expected, abs=1e-6)


def test_hypotheses_of_all_rankings_are_corrected_together() -> None:
    """Two parts and two recognisers: four hypotheses, so the first is rejected at 5 % / 4 and the next at 5 % / 3."""
    influences = np.array([[0.1, -0.1] * 6, [0.0] * 12])
    error = np.linalg.norm(influences[0])

    def larger(*values: float) -> list[bool]:
        found = significantly_larger(
            [PairwiseComparisons(np.array([value * error, 0.0]), influences, 11) for value in values]
        )
        return found[:, 0, 1].tolist()

    strict, next_step = (float(student.ppf(1 - 0.05 / count, 11)) for count in (4, 3))
    between = (strict + next_step) / 2
    assert larger(between, 0) == [False, False]
    assert larger(strict + 0.01, between) == [True, True]
    assert larger(strict + 0.01, next_step - 0.01) == [True, False]


TRUTHS = {"one": (0.4, 0.3, 0.2, 0.1), "two": (0.3, 0.4, 0.1, 0.2), "three": (0.1, 0.2, 0.3, 0.4)}


def test_recognisers_agree_as_scipy_says_and_what_is_certain_has_single_values() -> None:
    found = compared(effects_of(TRUTHS, spread=0.02))
    (group,) = found.groups
    assert [(each.first, each.second) for each in group.pairs] == [("one", "two"), ("one", "three"), ("two", "three")]
    for each in group.pairs:
        expected = float(kendalltau(TRUTHS[each.first], TRUTHS[each.second]).statistic)
        assert each.tau[:1] + each.tau[2:4] == pytest.approx((expected,) * 3)
        assert (each.alike - each.opposed) / each.pairs == pytest.approx(expected)
    assert group.w.low == pytest.approx(kendall_w(list(TRUTHS.values())), abs=1e-8)
    assert group.w.high == pytest.approx(group.w.value, abs=1e-8)
    assert group.firsts == {"one": "eyes", "two": "nose", "three": "brows"}
    assert {name: tuple(firsts) for name, firsts in group.possible_firsts.items()} == {
        "one": ("eyes",),
        "two": ("nose",),
        "three": ("brows",),
    }
    assert not group.same_first and not group.common_firsts and not group.certain


def test_recognisers_that_agree_rank_the_same_part_first() -> None:
    (group,) = compared(effects_of({"one": TRUTHS["one"], "two": TRUTHS["one"]}, spread=0.02)).groups
    assert group.same_first == "eyes" and group.common_firsts == ["eyes"] and group.certain
    (unsure,) = compared(effects_of({"one": TRUTHS["one"], "two": TRUTHS["two"]}, spread=1.0)).groups
    assert not unsure.same_first and not unsure.certain and {"eyes", "nose"} <= set(unsure.common_firsts)
    assert unsure.pairs[0].tau.low < unsure.pairs[0].tau.value < unsure.pairs[0].tau.high


def test_parts_that_are_equal_with_a_recogniser_share_a_rank() -> None:
    """One that ranks two parts first agrees with one that ranks either of them first."""
    parts = {"eyes": 0.4, "nose": 0.4, "mouth": 0.1}, {"eyes": 0.3, "nose": 0.4, "mouth": 0.1}
    subjects = [f"{number}" for number in range(30)]
    own = np.random.default_rng(0).standard_normal(30) / 300
    effects = {
        name: {
            "CM": PartEffects(
                {part: Influence(value, own - own.mean(), 0.0, 30) for part, value in found.items()}, subjects
            )
        }
        for name, found in zip("ab", parts, strict=True)
    }
    (group,) = compared(effects).groups
    ranks = {name: dict(zip(group.parts, found, strict=True)) for name, found in group.ranks.items()}
    assert ranks == {"a": {"eyes": 1, "nose": 1, "mouth": 3}, "b": {"nose": 1, "eyes": 2, "mouth": 3}}
    assert group.same_first == "nose" and group.firsts == {"a": "nose", "b": "nose"}
    assert group.pairs[0].same_first


def test_the_joint_ranking_is_the_mean_over_recognisers_in_units_of_their_spread() -> None:
    effects, spreads = effects_of(TRUTHS, spread=0.3), {"one": 0.1, "two": 0.2, "three": 0.4}
    found = compare_recognisers(effects, SHIFT, spreads)
    ranking = found.joint_ranking["CM"]
    for each in ranking:
        place = PARTS.index(each.part)
        parts = {name: effects[name]["CM"].effects[each.part] for name in TRUTHS}
        assert each.effect.value == pytest.approx(np.mean([TRUTHS[name][place] / spreads[name] for name in TRUTHS]))
        # Subjects are the same for all, so their influences add up before they are squared.
        summed = np.mean([parts[name].by_subject / spreads[name] for name in TRUTHS], axis=0)
        error = math.sqrt((summed @ summed) * (SUBJECTS - 1) / SUBJECTS)
        assert each.effect.error == pytest.approx(error)
        reach = student.ppf(0.975, SUBJECTS - 1) * error
        assert each.effect.high - each.effect.value == pytest.approx(reach, rel=1e-3)
    assert found.spreads == spreads
    # A ratio has no unit.
    plain = compare_recognisers(effects, FMR_RATIO, spreads)
    assert plain.spreads == dict.fromkeys(TRUTHS, 1.0)
    values = {each.part: each.effect.value for each in plain.joint_ranking["CM"]}
    assert values["eyes"] == pytest.approx(0.8 / 3)


def test_the_same_subjects_are_drawn_for_all_recognisers_and_groups() -> None:
    """The share of resamples in which a part is first, by a loop that draws the subjects anew."""
    effects = effects_of(TRUTHS, ("CM", "CF"), spread=0.3)
    ranking = compared(effects).joint_ranking[ALL_GROUPS]
    rng, firsts = np.random.default_rng(0), dict.fromkeys(PARTS, 0)
    for _ in range(RESAMPLES):
        drawn = np.bincount(rng.integers(0, SUBJECTS, SUBJECTS), minlength=SUBJECTS) - 1.0
        means = {
            part: np.mean(
                [
                    found.effects[part].value + drawn @ found.effects[part].by_subject
                    for groups in effects.values()
                    for found in groups.values()
                ]
            )
            for part in PARTS
        }
        firsts[max(means, key=means.__getitem__)] += 1
    for each in ranking:
        assert each.ranked_first == pytest.approx(firsts[each.part] / RESAMPLES, abs=0.04)
    assert 0.1 < ranking[0].ranked_first < 0.9


def test_control_places_are_shared_by_recognisers() -> None:
    effects = effects_of({"one": TRUTHS["one"], "two": TRUTHS["one"]})
    places = VarianceComponent(4e-4, 4)
    for groups in effects.values():
        found = groups["CM"]
        groups["CM"] = found._replace(
            effects={part: each._replace(places=places) for part, each in found.effects.items()}
        )
    first = compared(effects).joint_ranking["CM"][0]
    # The variance of the subjects is far smaller; that of the places is not halved by the mean of two.
    assert first.effect.error == pytest.approx(0.02, rel=0.02)
    halved = compared(effects, {"one": 2.0, "two": 2.0}).joint_ranking["CM"][0]
    assert halved.effect.error == pytest.approx(first.effect.error / 2)


@pytest.mark.parametrize("shared", [True, False])
def test_groups_have_agreements_of_their_own_and_of_all_together(shared: bool) -> None:
    found = compared(effects_of(TRUTHS, ("CM", "CF"), shared=shared))
    assert [each.group for each in found.groups] == [ALL_GROUPS, "CM", "CF"] == list(found.joint_ranking)
    for each in found.groups:
        assert [pair.tau.value for pair in each.pairs] == pytest.approx([1 / 3, -1, -1 / 3])


def test_only_parts_that_all_recognisers_rank_are_compared() -> None:
    effects = effects_of(TRUTHS)
    effects["two"]["CM"] = effects["two"]["CM"]._replace(
        effects={part: each for part, each in effects["two"]["CM"].effects.items() if part != "eyes"}
    )
    (group,) = compared(effects).groups
    assert set(group.parts) == {"nose", "mouth", "brows"}
    assert group.pairs[0].pairs == 3
    effects["two"]["CM"] = effects["two"]["CM"]._replace(effects={})
    nothing = compared(effects)
    assert nothing.groups == [] and nothing.joint_ranking == {"CM": []}


def test_a_recogniser_whose_scores_are_all_equal_is_refused() -> None:
    with pytest.raises(FacepartError, match=r"^two: all baseline impostor scores are equal"):
        compared(effects_of(TRUTHS), {"one": 1.0, "two": 0.0, "three": 1.0})


def test_one_part_has_no_agreement() -> None:
    truths = {"one": (0.4,), "two": (0.3,)}
    (group,) = compared(effects_of(truths, parts=("nose",))).groups
    assert math.isnan(group.w.value) and math.isnan(group.pairs[0].tau.value)
    assert group.same_first == "nose"


def test_few_subjects_give_no_interval_and_rule_nothing_out() -> None:
    (group,) = compared(effects_of(TRUTHS, subjects=8)).groups
    assert math.isfinite(group.w.value) and math.isnan(group.w.low)
    assert "fewer than 10 effective subjects" in group.w.no_ci == group.pairs[0].tau.no_ci
    assert set(group.unknown) == set(PARTS) == set(group.common_firsts)


class Baseline:
    """A group of which only the baseline scores are asked for."""

    def __init__(self, scores: SubjectScores | None) -> None:
        self._scores = scores

    def scores(self, condition: Condition) -> SubjectScores | None:
        assert condition == BASELINE_CONDITION
        return self._scores


def test_the_spread_of_a_recogniser_is_that_of_its_impostor_scores_within_groups() -> None:
    rng = np.random.default_rng(5)
    scores = [compare(embed(draw_people(rng, 12, 2), "", rng, shift)) for shift in (0.0, 0.3)]
    variances = [np.var(each.scores.impostor.scores.repeat(each.scores.impostor.counts)) for each in scores]
    groups = {f"{number}": Baseline(each) for number, each in enumerate([*scores, None])}
    assert impostor_spread(cast("Mapping[str, GroupData]", groups)) == pytest.approx(math.sqrt(np.mean(variances)))
    assert math.isnan(impostor_spread(cast("Mapping[str, GroupData]", {"none": Baseline(None)})))


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])
def test_intervals_hold_the_truth(world) -> None:
    """At least 95 % by design; with so few studies, at least 92 %."""
    found = simulate(world, studies=60, resamples=0)
    assert found.tau >= 0.92 and found.w >= 0.92 and found.firsts >= 0.92


def test_the_examples_in_the_docstrings_run() -> None:
    found = doctest.testmod(recogniser_agreement)
    assert found.attempted > 0 and found.failed == 0
