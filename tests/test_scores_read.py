"""Reading score files: the forms that are read, and the one line that each unusable file gives."""

from pathlib import Path

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.scores import ScoreDistribution, read_kind, score_input

SCORES = [0.25, -0.5, 1.0]
PAIRS = np.array([[0, 1, 0.25], [0, 2, -0.5], [1, 2, 1.0]])


@pytest.mark.parametrize(
    "array",
    [
        PAIRS,
        np.asfortranarray(PAIRS),
        np.array(SCORES),
        np.array(SCORES, np.float32),
        np.array(SCORES)[:, None],
        # Text, as older programs saved what they had read from text files.
        np.array([["0", "1", "0.25"], ["0", "2", "-0.5"], ["1", "2", "1e0"]]),
        np.array([["a_1", "a_2", "0.25"], ["a_1", "b_1", "-0.5"], ["a_2", "b_1", "1.0"]]).astype(">U9"),
        np.array([[b"0", b"1", b"0.25"], [b"0", b"2", b"-0.5"], [b"1", b"2", b"1.0"]]),
        np.array(["0.25", "-0.5", " 1.0 "]),
        np.array([[b"0.25"], [b"-0.5"], [b"1.0"]]),
    ],
)
def test_arrays(tmp_path: Path, array) -> None:
    np.save(tmp_path / "s.npy", array)
    assert read_kind(tmp_path / "s.npy", "authentic") == ScoreDistribution.of(SCORES)


@pytest.mark.parametrize(
    "text",
    [
        "0.25\n-0.5\n1.0\n",
        "0 1 0.25\n0 2 -0.5\n1 2 1.0",
        "0\t1\t0.25\r\n\r\n0\t2\t-0.5\r\n1\t2\t1.0\r\n",
        "0,1,0.25\n0, 2, -0.5\n1,2,1e0\n",
        "\ufeff0.25\n-0.5\n1.0\n",
        "0.25\n\n  \n-0.5\n1.0",
        "a/001_1 a/001_2 0.25\na/001_1 b/002_1 -0.5\na/001_2 b/002_1 1.0\n",
        'é_1.jpg,"Smith, A_2.jpg",0.25\né_1.jpg,B_1.jpg,-0.5\n"Smith, A_2.jpg",B_1.jpg,1.0\n',
        "# probe gallery score\n0 1 0.25\n# more\n0 2 -0.5\n1 2 1.0\n",
        "probe,gallery,Match Score\n0,1,0.25\n0,2,-0.5\n1,2,1.0\n",
        "similarity\n0.25\n-0.5\n1.0\n",
        "John Doe\tDoe, Ann\t0.25\nJohn Doe\tB\t-0.5\nDoe, Ann\tB\t1.0\n",
        "a b\t0.25\na c\t-0.5\nb c\t1.0\n",
    ],
)
@pytest.mark.parametrize("name", ["s.txt", "s.csv", "scores"])
def test_texts(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_kind(tmp_path / name, "impostor") == ScoreDistribution.of(SCORES)


def test_a_long_text_is_read_in_pieces_and_its_lines_are_numbered_as_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = 1000
    monkeypatch.setattr(score_input, "_LINES", pieces)
    steps = np.random.default_rng(0).integers(-1_000_000, 1_000_001, 2 * pieces + 5)
    lines = ["# scores", "", *(f"{step / 1e6:.6f}" for step in steps)]
    (tmp_path / "s.txt").write_text("\n".join(lines))
    assert read_kind(tmp_path / "s.txt", "impostor") == ScoreDistribution.of(steps / 1e6)
    lines[2 * pieces + 3] = "0.5;"
    (tmp_path / "s.txt").write_text("\n".join(lines))
    with pytest.raises(FacepartError, match=f"line {2 * pieces + 4}: '0.5;' is not a number"):
        read_kind(tmp_path / "s.txt", "impostor")


@pytest.mark.parametrize("ending", [".npy", ".txt"])
def test_scores_that_rounding_makes_equal_are_warned_about(
    tmp_path: Path, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Probabilities of a millionth or so, or within a millionth of 1: their order is lost, and with it the rates."""
    draws = np.random.default_rng(0).normal(size=5000)
    for number, (scores, warned) in enumerate(
        [
            (np.exp(-12 + 2 * draws), True),
            (1 - np.exp(-12 + 2 * draws), True),
            (draws, False),
            (np.round(0.2 * draws, 1), False),
            (draws.astype(np.float32), False),
        ]
    ):
        path = tmp_path / f"{number}{ending}"
        np.save(path, scores) if ending == ".npy" else np.savetxt(path, scores)
        caplog.clear()
        read_kind(path, "impostor")
        assert ("many scores are equal once rounded to 6 decimals" in caplog.text) == warned, number


def test_one_score_alone(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("0 1 0.25\n")
    assert read_kind(tmp_path / "s.txt", "impostor").scores.tolist() == [0.25]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.npy", None, "no such score file"),
        ("s.txt", b"", "there are no scores"),
        ("s.txt", b"# score\n", "there are no scores"),
        ("s.txt", b"score\n", "there are no scores"),
        ("s.txt", b"0 1 high\n", "line 1: 'high' is not a number"),
        ("s.txt", b"probe gallery n/a\n0 1 0.5\n", "line 1: 'n/a' is not a number"),
        ("s.txt", b"1 2\n3 4\n", "line 1 has 2 columns, not 1 or 3"),
        ("s.txt", b"0,25\n0,5\n", "line 1 has 2 columns, not 1 or 3"),
        ("s.txt", b"0.1\n\n0.2 0.3 0.4\n", "line 3 has 3 columns, the lines before it 1"),
        ("s.csv", b"a,b,0.1\na,b,0.2,0.3\n", "line 2 has 4 columns, the lines before it 3"),
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
        read_kind(tmp_path / name, "impostor")
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
        (np.array(["0.1", "high"]), "not all of its scores are numbers"),
        (np.array([b"0.1", b""]), "not all of its scores are numbers"),
        (np.array(["0.1", "nan"]), "1 of 2 scores are not finite"),
        (np.array([True]), "no real numbers"),
        (np.array([0.1, np.inf]), "1 of 2 scores are not finite"),
        (np.array([0.1, None]), "is not a score file"),
    ],
)
def test_unusable_arrays_give_one_line(tmp_path: Path, array, reason: str) -> None:
    np.save(tmp_path / "s.npy", array, allow_pickle=True)
    with pytest.raises(FacepartError, match=reason):
        read_kind(tmp_path / "s.npy", "impostor")
