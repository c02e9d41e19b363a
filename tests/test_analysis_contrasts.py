"""Means over pairs of subjects, and their variances, against brute force over all pairs."""

from itertools import combinations

import numpy as np
import pytest

from facepart.analysis.contrasts import contrast, pair_sums
from facepart.analysis.influence import Influence
from facepart.analysis.metrics import impostor_mean_influence
from tests.people_scores import draw_photos, group_scores, person_vectors


def by_pair(subjects: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the scores between every two people, looked at one by one; 0 on the diagonal."""
    scores, people = left @ right.T, subjects.max() + 1
    totals, counts = np.zeros((people, people)), np.zeros((people, people))
    for i in range(len(subjects)):
        for j in range(len(subjects)):
            if subjects[i] != subjects[j]:
                totals[subjects[i], subjects[j]] += scores[i, j]
                counts[subjects[i], subjects[j]] += 1
    return totals, counts


def dyadic_variance(totals: np.ndarray, counts: np.ndarray) -> float:
    """The variance of a mean over pairs: all products of pairs that share a person, added up one by one."""
    pairs = list(combinations(range(len(totals)), 2))
    number = sum(counts[pair] for pair in pairs)
    mean = sum(totals[pair] for pair in pairs) / number
    away = {pair: totals[pair] - mean * counts[pair] for pair in pairs}
    return sum(away[one] * away[two] for one in pairs for two in pairs if set(one) & set(two)) / number**2


def clustered(found: Influence, counts: np.ndarray) -> float:
    """The variance of a mean from the influences of people, as they are with each person's own scores still in it."""
    stay = 1 - counts.sum(axis=1) / (counts.sum() / 2)
    return float(np.sum((found.by_subject * stay) ** 2) - found.double_counted)


def test_the_variance_of_a_mean_is_that_of_all_pairs_that_share_a_person() -> None:
    subjects, photos, _ = draw_photos(0, people=14)
    numbers, vectors = person_vectors(subjects, photos)
    totals, counts = by_pair(subjects, photos, photos)
    found = contrast([pair_sums(numbers, vectors)], [1])
    upper = np.triu_indices(len(totals), 1)
    assert found.value == pytest.approx(totals[upper].sum() / counts[upper].sum())
    assert clustered(found, counts) == pytest.approx(dyadic_variance(totals, counts))


@pytest.mark.parametrize("cross", [False, True])
def test_a_shift_is_paired_by_pairs_of_people(cross: bool) -> None:
    subjects, before, after = draw_photos(1, people=13)
    numbers, ours = person_vectors(subjects, before)
    _, theirs = person_vectors(subjects, after)
    totals, counts = by_pair(subjects, before, before)
    changed, _ = by_pair(subjects, after, before if cross else after)
    if cross:
        changed = (changed + changed.T) / 2  # both directions of two people, their mean
    found = contrast([pair_sums(numbers, theirs, ours if cross else None), pair_sums(numbers, ours)], [1, -1])
    upper = np.triu_indices(len(totals), 1)
    assert found.value == pytest.approx((changed - totals)[upper].sum() / counts[upper].sum())
    assert clustered(found, counts) == pytest.approx(dyadic_variance(changed - totals, counts))


def test_the_sums_of_the_matcher_say_the_same_of_a_mean_as_pairs_of_people() -> None:
    subjects, photos, _ = draw_photos(2)
    group = group_scores(subjects, photos)
    numbers, vectors = person_vectors(subjects, photos)
    exact, found = contrast([pair_sums(numbers, vectors)], [1]), impostor_mean_influence(group)
    assert found.value == pytest.approx(exact.value, abs=1e-6)
    np.testing.assert_allclose(found.by_subject, exact.by_subject, atol=1e-6)
    assert 0 < found.double_counted < exact.double_counted  # photo by photo, less is counted twice
