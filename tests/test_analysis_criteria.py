"""Criteria for ranking, against figures computed from raw scores."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from facepart.analysis.choices import AUTHENTIC_CROSS, CRITERION_NAMES, D_PRIME, FMR_RATIO, FNMR
from facepart.analysis.criteria import CRITERIA, Compared, Unsupported, compare_criteria
from facepart.analysis.influence import Influence, SubjectScores
from tests.people_scores import draw_photos, group_scores


@pytest.fixture(scope="module")
def photos() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return draw_photos(5, people=120)


def split(subjects: np.ndarray, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Authentic and impostor scores, to 6 decimals."""
    first, second = np.triu_indices(len(subjects), 1)
    scores = np.round((embeddings @ embeddings.T)[first, second], 6)
    same = subjects[first] == subjects[second]
    return scores[same], scores[~same]


def figures(subjects: np.ndarray, before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """The effects, by their definitions."""
    (authentic, impostor), (authentic_after, impostor_after) = split(subjects, before), split(subjects, after)

    def threshold(scores: np.ndarray) -> float:
        allowed = int(1e-3 * len(scores))
        return float(np.sort(scores)[::-1][allowed]) + 1e-6

    def d_prime(one: np.ndarray, other: np.ndarray) -> float:
        return float(abs(one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2))

    at = threshold(impostor)
    return {
        FMR_RATIO: float(np.log((impostor_after >= at).mean() / (impostor >= at).mean())),
        D_PRIME: d_prime(authentic, impostor) - d_prime(authentic_after, impostor_after),
        FNMR: float((authentic_after < threshold(impostor_after)).mean() - (authentic < at).mean()),
        AUTHENTIC_CROSS: float(authentic.mean() - authentic_after.mean()),
    }


def compared(subjects: np.ndarray, before: np.ndarray, after: np.ndarray) -> Compared:
    ours, theirs = group_scores(subjects, before), group_scores(subjects, after)
    return Compared(ours, theirs, theirs)


@pytest.mark.parametrize("name", [FMR_RATIO, D_PRIME, FNMR, AUTHENTIC_CROSS])
def test_effects_are_those_of_the_scores_and_have_their_sign(
    name: str, photos: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    effect = CRITERIA[name].effect
    assert effect is not None
    found = effect(compared(*photos))
    assert isinstance(found, Influence)
    assert found.value == pytest.approx(figures(*photos)[name], abs=2e-4)
    # A part whose occlusion does the opposite has the opposite effect.
    subjects, before, after = photos
    back = effect(compared(subjects, after, before))
    assert isinstance(back, Influence)
    if name != FMR_RATIO:  # whose threshold is the other one then
        assert back.value == pytest.approx(-found.value)


@pytest.mark.parametrize("name", [D_PRIME, AUTHENTIC_CROSS])
def test_influences_are_what_leaving_a_subject_out_changes(
    name: str, photos: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    subjects, before, after = photos
    effect = CRITERIA[name].effect
    assert effect is not None
    found = effect(compared(*photos))
    assert isinstance(found, Influence)
    changes = []
    for subject in range(15):
        rest = subjects != subject
        changes.append(found.value - figures(subjects[rest], before[rest], after[rest])[name])
    np.testing.assert_allclose(found.by_subject[:15], changes, atol=0.15 * np.abs(changes).max())


def test_a_criterion_that_the_scores_do_not_support_says_why() -> None:
    alone = np.arange(30)
    rows = np.random.default_rng(0).standard_normal((30, 8)) * 0.1
    found = compared(alone, rows, rows)
    effects = {name: each.effect(found) for name, each in CRITERIA.items() if each.effect}
    authentic = Unsupported("no authentic scores")
    few = Unsupported("fewer than ten expected false matches")
    assert effects == {FMR_RATIO: few, D_PRIME: authentic, FNMR: authentic, AUTHENTIC_CROSS: authentic}
    assert set(CRITERIA) == set(CRITERION_NAMES)


def test_a_rise_of_fnmr_without_false_non_matches_is_no_certain_0() -> None:
    subjects = np.repeat(np.arange(80), 2)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((80, 64))[subjects] + 0.02 * rng.standard_normal((160, 64))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    effect = CRITERIA[FNMR].effect
    assert effect is not None
    assert effect(compared(subjects, rows, rows)) == Unsupported("no false non-match")
    # Without photos of two subjects, there are no scores at all: no criterion is supported, and none fails.
    alone = compared(np.zeros(2, int), rows[:2], rows[:2])
    for name in (FMR_RATIO, FNMR):
        asked = CRITERIA[name].effect
        assert asked is not None and asked(alone) == Unsupported("fewer than ten expected false matches")


def test_a_ratio_without_false_matches_says_so() -> None:
    subjects, before, _ = draw_photos(5, people=120)
    ours = group_scores(subjects, before)
    apart = group_scores(subjects, before * 0.01)
    found: SubjectScores = apart
    effect = CRITERIA[FMR_RATIO].effect
    assert effect is not None and effect(Compared(ours, found, None)) == Unsupported("no false match")
    cross = CRITERIA[AUTHENTIC_CROSS].effect
    assert cross is not None and cross(Compared(ours, found, None)) == Unsupported("no cross-matching")


def test_criteria_are_compared_by_scipys_tau() -> None:
    effects = {
        "importance": {"eyes": 0.3, "nose": 0.2, "mouth": 0.1},
        "impostor_shift": {"eyes": 0.2, "nose": 0.5, "mouth": 0.1, "hair": 0.9},
        "d_prime": {"hair": 1.0},
    }
    found = {(each.first, each.second): each for each in compare_criteria(effects)}
    assert set(found) == {("importance", "impostor_shift"), ("impostor_shift", "d_prime")}
    pair = found["importance", "impostor_shift"]
    assert pair.tau == pytest.approx(kendalltau([0.3, 0.2, 0.1], [0.2, 0.5, 0.1]).statistic)
    assert not pair.same_first
    assert np.isnan(found["impostor_shift", "d_prime"].tau)


def test_equal_effects_are_first_together() -> None:
    (pair,) = compare_criteria(
        {"impostor_shift": {"eyes": 0.1, "nose": 0.2}, "fnmr": {"eyes": 1 / 102, "nose": 1 / 102}}
    )
    assert pair.same_first
    assert not compare_criteria({"importance": {"a": 0.1, "b": 0.2, "c": 0}, "fnmr": {"a": 1, "b": 0, "c": 1}})[
        0
    ].same_first


def test_larger_is_always_more(photos: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """An occlusion that takes identity away and makes faces alike counts by every criterion."""
    subjects, before, _ = photos
    rng = np.random.default_rng(1)
    worse = before * 0.6 + 0.12 + rng.standard_normal(before.shape) * 0.06
    crossed = group_scores(subjects, before * 0.8)
    for each in CRITERIA.values():
        if each.effect:
            found = each.effect(compared(subjects, before, worse)._replace(crossed=crossed))
            assert isinstance(found, Influence) and found.value > 0, each.label
