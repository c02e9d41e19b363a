"""Accuracy by folds, against brute force over all thresholds and scikit-learn's folds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from facepart.errors import FacepartError
from facepart.matching.fold_accuracy import accuracy_by_folds


def by_hand(scores: np.ndarray, same: np.ndarray, folds: int) -> tuple[float, float, list[float], list[float]]:
    """As the report of LFW says it: the best threshold of the other folds, tried one by one, from above."""
    accuracies, chosen = [], []
    for train, test in KFold(folds, shuffle=False).split(scores):
        best, threshold = -1.0, 0.0
        for candidate in [scores[train].max() + 1, *np.sort(scores[train])[::-1]]:
            share = np.mean((scores[train] >= candidate) == same[train])
            if share > best:
                best, threshold = share, candidate
        chosen.append(threshold / 1e6)
        accuracies.append(float(np.mean((scores[test] >= threshold) == same[test])))
    mean = sum(accuracies) / folds
    variance = sum((accuracy - mean) ** 2 for accuracy in accuracies) / (folds - 1)
    return mean, (variance / folds) ** 0.5, accuracies, chosen


@settings(max_examples=60)
@given(data=st.data(), folds=st.integers(2, 6), size=st.integers(1, 8), values=st.sampled_from([4, 50, 2_000_000]))
def test_against_brute_force(data: st.DataObject, folds: int, size: int, values: int) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    same = rng.random(folds * size) < rng.random()
    scores = rng.integers(-values // 2, values // 2 + 1, folds * size) + same * rng.integers(0, values // 2)
    found = accuracy_by_folds(scores, same, np.repeat(np.arange(1, folds + 1), size))
    mean, error, accuracies, thresholds = by_hand(scores, same, folds)
    assert [fold.accuracy for fold in found.folds] == accuracies
    assert [fold.threshold for fold in found.folds] == thresholds
    assert found.mean == pytest.approx(mean, abs=1e-15)
    assert found.standard_error == pytest.approx(error, abs=1e-15)


def test_ten_folds_of_lfw_with_planted_scores() -> None:
    rng = np.random.default_rng(0)
    same = np.tile(np.repeat([True, False], 300), 10)
    scores = np.rint(1e6 * np.clip(rng.normal(np.where(same, 0.6, 0.1), 0.14), -1, 1)).astype(np.int64)
    found = accuracy_by_folds(scores, same, np.repeat(np.arange(1, 11), 600))
    mean, error, accuracies, _ = by_hand(scores, same, 10)
    assert [fold.accuracy for fold in found.folds] == accuracies
    assert (found.mean, found.standard_error) == pytest.approx((mean, error), abs=1e-15)
    assert 0.95 < found.mean < 0.975  # Phi(0.25 / 0.14) is 0.963
    assert all(fold.pairs == 600 for fold in found.folds)


def test_the_order_of_the_pairs_does_not_matter_and_folds_need_not_be_of_one_size() -> None:
    rng = np.random.default_rng(1)
    scores, same, folds = rng.integers(0, 9, 50), rng.random(50) < 0.5, rng.choice([2, 5, 9], 50)
    order = rng.permutation(50)
    found = accuracy_by_folds(scores, same, folds)
    assert found == accuracy_by_folds(scores[order], same[order], folds[order])
    assert [fold.fold for fold in found.folds] == [2, 5, 9]
    assert [fold.pairs for fold in found.folds] == [int((folds == fold).sum()) for fold in (2, 5, 9)]


def test_one_fold_is_refused() -> None:
    with pytest.raises(FacepartError, match="at least two folds"):
        accuracy_by_folds(np.array([1, 2]), np.array([True, False]), np.array([3, 3]))
