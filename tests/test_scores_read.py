"""Reading score files: the forms that are read, and the one line that each unusable file gives."""

from pathlib import Path

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.scores import ScoreDistribution, read_scores

SCORES = [0.25, -0.5, 1.0]
PAIRS = np.array([[0, 1, 0.25], [0, 2, -0.5], [1, 2, 1.0]])


@pytest.mark.parametrize(
    "array",
    [PAIRS, np.asfortranarray(PAIRS), np.array(SCORES), np.array(SCORES, np.float32), np.array(SCORES)[:, None]],
)
def test_arrays(tmp_path: Path, array) -> None:
    np.save(tmp_path / "s.npy", array)
    assert read_scores(tmp_path / "s.npy", "authentic") == ScoreDistribution.of(SCORES)


@pytest.mark.parametrize(
    "text",
    [
        "0.25\n-0.5\n1.0\n",
        "0 1 0.25\n0 2 -0.5\n1 2 1.0",
        "0\t1\t0.25\r\n\r\n0\t2\t-0.5\r\n1\t2\t1.0\r\n",
        "0,1,0.25\n0, 2, -0.5\n1,2,1e0\n",
        "\ufeff0.25\n-0.5\n1.0\n",
    ],
)
def test_texts(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.txt").write_bytes(text.encode())
    assert read_scores(tmp_path / "s.txt", "impostor") == ScoreDistribution.of(SCORES)


def test_one_score_alone(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("0 1 0.25\n")
    assert read_scores(tmp_path / "s.txt", "impostor").scores.tolist() == [0.25]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.npy", None, "no such score file"),
        ("s.txt", b"", "there are no scores"),
        ("s.txt", b"0 1 high\n", "is not a score file"),
        ("s.txt", b"1 2\n3 4\n", "its shape is (2, 2)"),
        ("s.txt", b"0.1\n0.2 0.3 0.4\n", "is not a score file"),
        ("s.txt", b"0.1\nnan\n", "1 of 2 scores are not finite"),
        ("s.txt", b"\x93NUMPY\xff\xfe", "is not a score file"),
        ("s.npy", b"not an array", "is not a score file"),
        ("s.npy", b"", "is not a score file"),
    ],
)
def test_unusable_files_give_one_line(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FacepartError) as caught:
        read_scores(tmp_path / name, "impostor")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: ")
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.empty((0, 3)), "there are no scores"),
        (np.zeros((2, 4)), r"its shape is \(2, 4\)"),
        (np.zeros((2, 3, 3)), "its shape is"),
        (np.array(["0.1"]), "no real numbers"),
        (np.array([0.1, np.inf]), "1 of 2 scores are not finite"),
        (np.array([0.1, None]), "is not a score file"),
    ],
)
def test_unusable_arrays_give_one_line(tmp_path: Path, array, reason: str) -> None:
    np.save(tmp_path / "s.npy", array, allow_pickle=True)
    with pytest.raises(FacepartError, match=reason):
        read_scores(tmp_path / "s.npy", "impostor")
