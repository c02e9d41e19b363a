"""No command writes its outputs over one of its inputs."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Run
from tests.test_matching import listed


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        "parse -s photos -o labels --against labels",
        "parse -s photos -o link --against labels",
        "blur -s photos -m . -d out --labels labels --save-labels",
        "match -p f.txt --pairs CM_pairs.csv -d MORPH -gr CM -o .",
        "plot -a1 scores.csv -i1 scores.npy -d . -n scores",
        "plot -a1 scores.npy -i1 scores.txt -d . -n scores --kind table",
        "plot -r1 scores.txt -d . -n scores --kind cmc",
        "lists -s f -o people.csv --people people.csv --group CM",
        "extract -s list.txt -d .",
    ],
)
def test_an_input_is_not_overwritten(tmp_path: Path, run: Run, command: str) -> None:
    for name in ("photos", "labels"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"drawn by hand")
    (tmp_path / "link").symlink_to("labels")
    listed(tmp_path / "f")
    (tmp_path / "CM_pairs.csv").write_text("f/001_1,f/001_2,1\nf/001_1,f/002_1,0\n")
    np.save(tmp_path / "scores.npy", np.linspace(0, 1, 50))
    for name in ("scores.csv", "scores.txt"):
        (tmp_path / name).write_text("1\n")
    (tmp_path / "people.csv").write_text("subject,group\n001,CM\n")
    (tmp_path / "list.txt").write_text("photos/a.png\n")
    before = contents(tmp_path)
    words = [
        word if word.startswith("-") or not (tmp_path / word).exists() else tmp_path / word
        for word in command.split()
    ]
    done = run("-m", "facepart", *words)
    assert done.returncode == 2, done.stdout
    assert "is an input, which the outputs would overwrite" in done.stderr
    assert done.stderr.count("\n") == 1
    assert contents(tmp_path) == before
