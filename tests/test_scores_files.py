"""The file of a group's scores: what is written is read, and what is not such a file is told in one line."""

from pathlib import Path

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.scores import GroupScores, ScoreDistribution, load_scores, read_kind, save_scores

SCORES = GroupScores(ScoreDistribution.of([0.5, 0.75, 0.5]), ScoreDistribution.of([-0.25, 0.0, 0.1]))


def arrays() -> dict[str, np.ndarray]:
    return {
        "version": np.array(1),
        "authentic_value": np.array([500000], np.int32),
        "authentic_count": np.array([2], np.int64),
        "impostor_value": np.array([-1, 3], np.int32),
        "impostor_count": np.array([1, 1], np.int64),
    }


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "CM_scores.npz"
    save_scores(path, SCORES)
    assert load_scores(path) == SCORES
    assert read_kind(path, "impostor") == SCORES.impostor
    assert read_kind(path, "authentic") == SCORES.authentic
    with np.load(path) as file:
        found = {name: (file[name].dtype, file[name].tolist()) for name in file.files}
    assert found["version"] == (np.int64, 1)
    assert found["authentic_value"] == (np.int32, [500000, 750000])
    assert found["authentic_count"] == (np.int64, [2, 1])
    assert found["impostor_value"][0] == np.int32
    before = path.read_bytes()
    save_scores(path, SCORES)
    assert path.read_bytes() == before


def test_a_group_without_authentic_pairs(tmp_path: Path) -> None:
    save_scores(tmp_path / "s.npz", SCORES._replace(authentic=ScoreDistribution.of([])))
    assert load_scores(tmp_path / "s.npz").authentic.n == 0
    with pytest.raises(FacepartError, match=r"s.npz: there are no authentic scores in it"):
        read_kind(tmp_path / "s.npz", "authentic")


def test_scores_of_groups_add_up() -> None:
    merged = SCORES.merged_with(SCORES)
    assert merged.authentic.counts.tolist() == [4, 2]
    assert merged.impostor.n == 6


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": np.array(2)}, "is of version 2, this program reads version 1"),
        ({"version": np.array([1, 1])}, "is of version"),
        ({"impostor_count": None}, "it lacks impostor_count"),
        ({"impostor_count": np.array([1, 0], np.int64)}, "is damaged: .* has to occur"),
        ({"impostor_count": np.array([2**62, 2**62])}, "is damaged: counts are too large to be added"),
        ({"impostor_value": np.array([3, 3], np.int32)}, "is damaged: values have to ascend"),
        ({"impostor_value": np.array([3.0, 4.0])}, "is damaged: values are int32"),
        ({"impostor_value": np.array(["a", None], object)}, "is not a score distribution"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, change: dict[str, np.ndarray | None], reason: str) -> None:
    given = {name: array for name, array in {**arrays(), **change}.items() if array is not None}
    np.savez(tmp_path / "s.npz", allow_pickle=True, **given)
    with pytest.raises(FacepartError, match=reason) as caught:
        load_scores(tmp_path / "s.npz")
    assert str(caught.value).startswith(f"{tmp_path / 's.npz'}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"not an archive"])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.npz").write_bytes(content)
    with pytest.raises(FacepartError, match=r"s.npz: is not a score distribution: not a whole .npz file"):
        load_scores(tmp_path / "s.npz")
    save_scores(tmp_path / "whole.npz", SCORES)
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "s.npz").write_bytes(whole[:200] + b"\x00\x01\x02" + whole[203:])
    with pytest.raises(FacepartError):
        load_scores(tmp_path / "s.npz")
    with pytest.raises(FacepartError, match="no such score file"):
        load_scores(tmp_path / "missing.npz")
