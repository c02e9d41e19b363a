"""Shapley values and interactions, against all orders and the definitions; their intervals, against a jackknife."""

import math
from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from facepart.analysis.influence import Influence, weighted_sum
from facepart.analysis.intervals import interval, variance
from facepart.analysis.shapley import MOST_EXACT, ORDERS, Coalitions, players_of
from facepart.occlusion.parts import choose_parts


def worths_of(values: Sequence[float] | NDArray[np.float64]) -> list[Influence]:
    return [Influence(float(value), np.zeros(20), 0.0, 20.0) for value in values]


def over_all_orders(values: NDArray[np.float64], players: int) -> NDArray[np.float64]:
    """What each player adds, averaged over all n! orders."""
    total, count = np.zeros(players), 0
    for order in permutations(range(players)):
        mask = 0
        for player in order:
            total[player] += values[mask | 1 << player] - values[mask]
            mask |= 1 << player
        count += 1
    return total / count


def interaction_by_definition(values: NDArray[np.float64], players: int, first: int, second: int) -> float:
    others = [player for player in range(players) if player not in (first, second)]
    found = 0.0
    for size in range(len(others) + 1):
        weight = math.factorial(size) * math.factorial(players - size - 2) / math.factorial(players - 1)
        for chosen in combinations(others, size):
            mask = sum(1 << player for player in chosen)
            one, other = 1 << first, 1 << second
            found += weight * (values[mask | one | other] - values[mask | one] - values[mask | other] + values[mask])
    return found


@pytest.mark.parametrize("players", [2, 3, 6])
def test_exact_values_and_interactions_are_those_of_the_definitions(players: int) -> None:
    values = np.random.default_rng(players).standard_normal(1 << players)
    coalitions = Coalitions(players)
    assert coalitions.exact
    assert coalitions.masks == tuple(range(1 << players))
    found = [each.value for each in coalitions.shapley_values(worths_of(values))]
    assert found == pytest.approx(over_all_orders(values, players), abs=1e-13)
    assert math.fsum(found) == pytest.approx(values[-1] - values[0], abs=1e-13)
    assert coalitions.pairs == list(combinations(range(players), 2))
    for weights, (first, second) in zip(coalitions.interactions, coalitions.pairs, strict=True):
        wanted = interaction_by_definition(values, players, first, second)
        assert weighted_sum(worths_of(values), weights).value == pytest.approx(wanted, abs=1e-13)


def test_effects_that_add_up_are_the_values_and_do_not_interact() -> None:
    effects = np.array([0.3, -0.2, 0.0, 1.5, 0.1, 0.05])
    values = [2 + sum(effects[player] for player in range(6) if mask >> player & 1) for mask in range(64)]
    coalitions = Coalitions(6)
    assert [each.value for each in coalitions.shapley_values(worths_of(values))] == pytest.approx(effects)
    assert coalitions.interactions @ np.array(values) == pytest.approx(np.zeros(15), abs=1e-12)


def test_two_redundant_players_share_what_neither_adds_alone() -> None:
    # Something is lost only if players 0 and 1 are both occluded.
    values = [float(mask & 3 == 3) for mask in range(64)]
    coalitions = Coalitions(6)
    found = [each.value for each in coalitions.shapley_values(worths_of(values))]
    assert found == pytest.approx([0.5, 0.5, 0, 0, 0, 0], abs=1e-12)
    assert coalitions.interactions @ np.array(values) == pytest.approx([1.0] + [0.0] * 14, abs=1e-12)
    # Lost as soon as one of them is: they interact the other way round.
    values = [float(bool(mask & 3)) for mask in range(64)]
    assert coalitions.interactions @ np.array(values) == pytest.approx([-1.0] + [0.0] * 14, abs=1e-12)


def test_a_sampled_value_is_close_to_the_exact_one_and_its_error_is_in_the_interval() -> None:
    players = MOST_EXACT + 2
    rng = np.random.default_rng(4)
    effects, pairwise = rng.standard_normal(players), np.triu(0.5 * rng.standard_normal((players, players)), 1)
    triple = 2.0

    def worth(mask: int) -> float:
        inside = np.array([mask >> player & 1 for player in range(players)], float)
        return float(effects @ inside + inside @ pairwise @ inside + triple * inside[:3].prod())

    coalitions = Coalitions(players)
    assert not coalitions.exact
    assert len(coalitions.masks) < 1 << players
    assert not coalitions.pairs
    assert len(coalitions.interactions) == 0
    found = coalitions.shapley_values(worths_of([worth(mask) for mask in coalitions.masks]))
    assert math.fsum(each.value for each in found) == pytest.approx(worth(coalitions.whole), abs=1e-12)
    wanted = effects + (pairwise + pairwise.T).sum(axis=1) / 2
    wanted[:3] += triple / 3
    intervals = [interval(each) for each in found]
    # An order and its reverse have no error in pairwise terms; the triple's is in the interval.
    for each, value in zip(intervals[3:], wanted[3:], strict=True):
        assert each.value == pytest.approx(value, abs=1e-12)
        assert each.high - each.low < 1e-12
    for each, value in zip(intervals[:3], wanted[:3], strict=True):
        assert each.low < value < each.high
        assert 0 < each.error < triple
    assert found[0].places.degrees == ORDERS // 2 - 1
    again = Coalitions(players)
    assert again.masks == coalitions.masks
    assert (again.values == coalitions.values).all()


def test_monte_carlo_intervals_hold_the_exact_values(monkeypatch: pytest.MonkeyPatch) -> None:
    players, held, count = 9, 0, 0
    values = np.random.default_rng(7).standard_normal(1 << players) + np.array(
        [3.0 * (mask & 7 == 7) for mask in range(1 << players)]
    )
    monkeypatch.setattr("facepart.analysis.shapley.MOST_EXACT", players)
    exact = Coalitions(players).values @ values
    monkeypatch.setattr("facepart.analysis.shapley.MOST_EXACT", players - 1)
    for seed in range(40):
        monkeypatch.setattr("facepart.analysis.shapley.SEED", seed)
        coalitions = Coalitions(players)
        for each, value in zip(
            coalitions.shapley_values(worths_of(values[list(coalitions.masks)])), exact, strict=True
        ):
            found = interval(each)
            held += found.low <= value <= found.high
            count += 1
    assert 0.92 < held / count <= 0.99


def test_the_variance_is_that_of_the_jackknife_of_the_values_themselves() -> None:
    """Leave every subject out, and compute the values anew from worths that are means over the rest."""
    rng = np.random.default_rng(5)
    subjects, players = 30, 4
    data = rng.standard_normal((1 << players, subjects)) + rng.standard_normal(subjects)
    coalitions = Coalitions(players)

    def values_of(chosen: NDArray[np.float64]) -> NDArray[np.float64]:
        return over_all_orders(chosen.mean(axis=1), players)

    without = np.array([values_of(np.delete(data, subject, axis=1)) for subject in range(subjects)])
    whole = data.mean(axis=1)
    worths = [
        Influence(float(mean), mean - (row.sum() - row) / (subjects - 1), 0.0, float(subjects), subjects)
        for mean, row in zip(whole, data, strict=True)
    ]
    for place, found in enumerate(coalitions.shapley_values(worths)):
        assert found.by_subject == pytest.approx(values_of(data)[place] - without[:, place], abs=1e-12)
        around = values_of(data)[place] - without[:, place]
        assert variance(found) == pytest.approx((subjects - 1) / subjects * float(around @ around))


def test_a_sum_has_the_bias_and_the_degrees_of_what_it_is_made_of() -> None:
    first = Influence(1.0, np.array([1.0, -1.0, 0.0]), 0.5, 12.0, 3, bias=0.25)
    second = Influence(3.0, np.array([0.0, 2.0, -2.0]), 0.5, 11.0, 3, bias=0.5, degrees=1.5)
    found = weighted_sum([first, second, first], np.array([2.0, -1.0, 0.0]))
    assert (found.value, found.bias, found.effective, found.double_counted) == (-1.0, 0.0, 11.0, 0.0)
    assert found.by_subject.tolist() == [2.0, -4.0, 2.0]
    assert found.degrees == pytest.approx((4 + 16 + 4) ** 2 / (16 + 256 + 16) - 1)
    assert weighted_sum([first, first], np.array([1.0, 1.0])).degrees == math.inf


@pytest.mark.parametrize(
    ("named", "players"),
    [
        ("eyes brows eyes_brows nose mouth hair skin", "eyes brows nose mouth hair skin"),
        ("left_eye right_eye nose", "nose left_eye right_eye"),
        ("left_eye eyes nose", "eyes nose"),
        ("periocular nose lower_face skin", "nose skin"),
        ("eyes+nose mouth", "mouth eyes+nose"),
        ("eyes+nose eyes mouth", "eyes mouth"),
        ("upper_lip lower_lip mouth ears", "mouth ears"),
        ("eyes_brows", "eyes_brows"),
    ],
)
def test_players_are_the_parts_that_do_not_overlap(named: str, players: str) -> None:
    assert [part.name for part in players_of(choose_parts(named.split()))] == players.split()
