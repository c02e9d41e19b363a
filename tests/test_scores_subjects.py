"""Sums by subject on disk and in use."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.errors import FacepartError
from facepart.scores import ScoreDistribution
from facepart.scores.subject_sums import (
    BIN,
    SubjectSums,
    Sums,
    bins_from,
    load_subject_sums,
    save_subject_sums,
)


def make_sums(scores: list[list[float]], lowest: int = 0) -> SubjectSums:
    """Authentic scores of each person; no impostor scores."""
    width = bins_from(lowest)

    def bins(own: list[float]) -> np.ndarray:
        places = [(round(score * 1e6) - lowest) // BIN for score in own]
        return np.bincount([place for place in places if place >= 0], minlength=width).astype(np.int32)

    authentic = Sums(
        np.array([len(own) for own in scores]),
        np.array([sum(own) for own in scores], np.float64),
        np.array([sum(score**2 for score in own) for own in scores], np.float64),
        np.stack([bins(own) for own in scores]),
    )
    names = np.array([f"{number:03}" for number in range(len(scores))])
    return SubjectSums(names, lowest, authentic, authentic)


def test_what_is_saved_is_read_and_equal_sums_give_equal_bytes(tmp_path: Path) -> None:
    sums = make_sums([[0.1, 0.5], [0.7]], lowest=-2500)
    for name in ("a", "b"):
        save_subject_sums(tmp_path / name, sums)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found = load_subject_sums(tmp_path / "a")
    assert found.subjects.tolist() == ["000", "001"]
    assert found.lowest == -2500
    for field in ("count", "total", "squares", "bins"):
        np.testing.assert_array_equal(getattr(found.authentic, field), getattr(sums.authentic, field))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    save_subject_sums(tmp_path / "good", make_sums([[0.1]]))
    with pytest.raises(FacepartError, match=r"none: no such score file"):
        load_subject_sums(tmp_path / "none")
    (tmp_path / "cut").write_bytes((tmp_path / "good").read_bytes()[:400])
    with pytest.raises(FacepartError, match=r"cut: is not sums by subject"):
        load_subject_sums(tmp_path / "cut")
    with np.load(tmp_path / "good") as file:
        arrays = dict(file)
    with (tmp_path / "short").open("wb") as file:
        np.savez(file, **{**arrays, "authentic_count": np.zeros(2, np.int64)})
    with pytest.raises(FacepartError, match=r"short: is damaged: its arrays are not of one length"):
        load_subject_sums(tmp_path / "short")
    with (tmp_path / "later").open("wb") as file:
        np.savez(file, **{**arrays, "version": np.array(2)})
    with pytest.raises(FacepartError, match=r"later: is of version 2"):
        load_subject_sums(tmp_path / "later")


@given(
    st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=6), min_size=1, max_size=5),
    st.integers(-10, 1_000_010),
    st.sampled_from([0, 80 * BIN]),
)
def test_counts_from_a_threshold_add_up_and_are_exact_where_a_bin_begins(bins, threshold, lowest) -> None:
    """Scores in the middle of their bins, so that each bin holds one value."""
    scores = [[(place * BIN + BIN // 2) / 1e6 for place in own] for own in bins]
    sums = make_sums(scores, lowest)
    whole = ScoreDistribution.of([score for own in scores for score in own])
    found = sums.at_or_above("authentic", whole, threshold / 1e6)
    # Below the first bin it is known whose scores they are only if all of them lie above.
    if threshold < lowest and whole.scores[0] < threshold / 1e6:
        assert np.isnan(found).all()
        return
    assert found.sum() == pytest.approx(sum(score >= threshold / 1e6 for own in scores for score in own))
    if threshold % BIN == 0:
        assert found.tolist() == [sum(score >= threshold / 1e6 for score in own) for own in scores]
