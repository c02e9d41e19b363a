"""Shapley values of figures of scores: against leaving out each subject, and where scores do not support them."""

import math
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from facepart.analysis.choices import D_PRIME, FMR_RATIO, SHIFT
from facepart.analysis.criteria import NO_AUTHENTIC, TOO_FEW_IMPOSTOR, Unsupported
from facepart.analysis.influence import Influence
from facepart.analysis.metrics import d_prime, fmr
from facepart.analysis.results import ALL_GROUPS
from facepart.analysis.shapley import Coalitions
from facepart.analysis.shapley_figures import (
    CoalitionWorths,
    Worths,
    baseline_threshold,
    coalition_name,
    measure_shapley,
    worths_of,
)
from facepart.analysis.student_t import upper_quantile
from tests.people_scores import draw_photos, group_scores

PARTS = ["eyes", "nose", "mouth"]
MEAN = Influence(0.1, np.linspace(-0.01, 0.01, 30), 0.0, 30.0, 30)


def occluded(photos: NDArray[np.float64], mask: int) -> NDArray[np.float64]:
    """Take from the photos what lies in some of three pairs of values, with an interaction of the first two."""
    left = photos.copy()
    for place in range(3):
        if mask >> place & 1:
            left[:, 2 * place : 2 * place + 2] *= 0.2
    return left * (1.2 if mask & 3 == 3 else 1.0)


def values_over_orders(worths: list[float]) -> NDArray[np.float64]:
    total = np.zeros(3)
    for order in permutations(range(3)):
        mask = 0
        for player in order:
            total[player] += (worths[mask | 1 << player] - worths[mask]) / 6
            mask |= 1 << player
    return total


def test_values_of_d_prime_are_those_of_the_delete_one_subject_jackknife() -> None:
    subjects, photos, _ = draw_photos(3)
    people = int(subjects.max()) + 1

    def values_of(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        scores = [group_scores(subjects[chosen], occluded(photos, mask)[chosen]).scores for mask in range(8)]
        return values_over_orders([-d_prime(each.authentic, each.impostor) for each in scores])

    worths: list[Worths] = [
        worths_of(MEAN, group_scores(subjects, occluded(photos, mask)), None, "x") for mask in range(8)
    ]
    groups = {"all": CoalitionWorths(len(photos), [f"{each:05}" for each in range(people)], worths)}
    found = measure_shapley("r", PARTS, [], Coalitions(3), groups).values_of("all", D_PRIME)
    whole = values_of(np.ones(len(subjects), bool))
    changes = whole - np.array([values_of(subjects != person) for person in range(people)])
    errors = np.sqrt((people - 1) / people * (changes**2).sum(axis=0))
    assert [row.value.value for row in found] == pytest.approx(whole, abs=1e-9)
    assert [row.value.error for row in found] == pytest.approx(errors, rel=1e-4)  # scores are rounded
    assert math.fsum(row.value.value for row in found) == pytest.approx(found[0].total.value, abs=1e-12)
    # Without the bias of the jackknife, about which the CI lies.
    bias = -(people - 1) / people * changes.sum(axis=0)
    reach = upper_quantile(0.025, found[0].value.effective - 1) * errors
    assert [row.value.low for row in found] == pytest.approx(whole - bias - reach, abs=1e-3)


def test_the_logarithm_of_the_fmr_is_taken_at_the_threshold_of_the_baseline() -> None:
    subjects, photos, _ = draw_photos(5, people=120)
    baseline = group_scores(subjects, photos)
    threshold = baseline_threshold(baseline)
    assert threshold is not None
    after = group_scores(subjects, photos * 1.1)
    found = worths_of(MEAN, after, threshold, "eyes")
    worth = found[FMR_RATIO]
    assert isinstance(worth, Influence)
    rate = float(fmr(after.scores.impostor, threshold))
    assert worth.value == pytest.approx(math.log(rate))
    assert found[SHIFT] is MEAN


def test_what_scores_do_not_support_has_a_reason() -> None:
    subjects, photos, _ = draw_photos(3)
    scores = group_scores(subjects, photos)
    assert baseline_threshold(scores) is None  # fewer than 10,000 impostor scores
    assert worths_of(MEAN, scores, None, "eyes")[FMR_RATIO] == TOO_FEW_IMPOSTOR
    assert worths_of(MEAN, scores, 1.0, "eyes+nose")[FMR_RATIO] == Unsupported(
        "no false match with eyes+nose occluded"
    )
    single = np.unique(subjects, return_index=True)[1]
    assert worths_of(MEAN, group_scores(subjects[single], photos[single]), None, "eyes")[D_PRIME] == NO_AUTHENTIC


def test_one_coalition_without_a_worth_leaves_the_figure_empty_with_its_reason() -> None:
    reason = Unsupported("no false match with eyes+mouth occluded")
    worths: list[Worths] = [
        {SHIFT: MEAN._replace(value=float(mask)), D_PRIME: MEAN, FMR_RATIO: reason if mask == 5 else MEAN}
        for mask in range(8)
    ]
    group = CoalitionWorths(60, [f"{each}" for each in range(30)], worths)
    found = measure_shapley("r", PARTS, ["hair"], Coalitions(3), {"CM": group})
    assert [row.value.value for row in found.values_of("CM", SHIFT)] == pytest.approx([1, 2, 4])
    values, interactions = found.values_of("CM", FMR_RATIO), found.interactions_of("CM", FMR_RATIO)
    assert len(values) == len(interactions) == 3
    assert all(math.isnan(row.value.value) and row.reason == reason.reason for row in values)
    assert all(math.isnan(row.value.value) and row.reason == reason.reason for row in interactions)
    assert found.left_out == ["hair"]
    assert found.why_none == ""
    alone = measure_shapley("r", PARTS, [], Coalitions(3), {"CF": CoalitionWorths(2, ["99"], [])})
    assert alone.why_none == "all parts were detected in photos of fewer than two subjects"


def test_a_group_of_one_subject_leaves_its_figures_and_the_mean_empty() -> None:
    worths: list[Worths] = [
        {SHIFT: MEAN._replace(value=mask / 8), D_PRIME: MEAN, FMR_RATIO: MEAN} for mask in range(8)
    ]
    groups = {
        "CM": CoalitionWorths(60, [f"{each}" for each in range(30)], worths),
        "CF": CoalitionWorths(2, ["99"], []),
    }
    found = measure_shapley("r", PARTS, [], Coalitions(3), groups)
    assert {row.reason for row in found.values_of("CM", SHIFT)} == {""}
    for group in ("CF", ALL_GROUPS):
        for row in found.values_of(group, SHIFT):
            assert math.isnan(row.value.value)
            assert row.reason == "all parts were detected in photos of fewer than two subjects"
    assert (found.values_of(ALL_GROUPS, SHIFT)[0].photos_compared, found.values[0].subjects_compared) == (62, 31)


def test_names_of_coalitions() -> None:
    assert [coalition_name(PARTS, mask) for mask in (0, 2, 5)] == ["no part", "nose", "eyes+mouth"]
