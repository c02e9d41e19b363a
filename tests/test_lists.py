"""Path lists, the features of a folder, and the command that writes lists."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.data.feature_files import find_features
from facepart.data.labels import labels_of
from facepart.data.path_lists import read_list, write_list
from facepart.data.subject_table import read_people
from facepart.errors import FacepartError
from tests.conftest import ROOT, Run


def touch(folder: Path, names: list[str]) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_a_list_tolerates_what_editors_leave_in_it(tmp_path: Path) -> None:
    absolute = tmp_path / "with blank.npy"
    (tmp_path / "list.txt").write_bytes(f"\ufeffa/1.npy  \r\n\r\n  {absolute}\t\n../b.npy".encode())
    assert read_list(tmp_path / "list.txt") == [tmp_path / "a/1.npy", absolute, tmp_path / "../b.npy"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no such list"), (b" \n\r\n", "the list is empty"), (b"\xff\xfe\xff", "not a text")],
)
def test_unusable_lists_are_reported(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(FacepartError, match=reason):
        read_list(tmp_path / "list.txt")


# A line may hold any sign but those that end it; blanks at its ends are not the name's.
LINES = st.text(st.characters(exclude_categories=("C", "Zl", "Zp", "Zs"), exclude_characters="/"), min_size=1)


@given(st.lists(LINES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("list")
    paths = [folder / name for name in names]
    write_list(folder / "list.txt", paths)
    assert read_list(folder / "list.txt") == paths


def test_features_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    wanted = ["b/1.npy", "a/10.npy", "a/1.npy", "a/1_2.npy", "a/1-2.npy", "B/x.npy", "top.npy"]
    touch(tmp_path, wanted)
    for folder in ("", "a"):
        np.save(tmp_path / folder / "features.npy", np.ones((3, 4), np.float32))
    touch(tmp_path, ["a/.1.npy.part", ".hidden/1.npy", "a/.2.npy", "a/list.txt"])
    (tmp_path / "b" / "circle").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    found = find_features(tmp_path)
    assert [str(path) for path in found] == sorted(str(tmp_path / name) for name in wanted)
    assert labels_of(found)[0] == "B/x"


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "store", ["1.npy"])
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "a").symlink_to(tmp_path / "store")
    assert find_features(tmp_path / "features") == [tmp_path / "features" / "a" / "1.npy"]


def test_a_folder_of_features_that_cannot_be_opened_is_reported(tmp_path: Path, monkeypatch) -> None:
    touch(tmp_path, ["a/1.npy", "closed/2.npy"])
    scandir = os.scandir

    # The permission itself is no use to a test that may run as root.
    def guarded(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    for folder in (tmp_path, tmp_path / "closed"):
        with pytest.raises(FacepartError) as caught:
            find_features(folder)
        assert str(caught.value) == f"{tmp_path / 'closed'}: cannot be opened: Permission denied"


def test_a_folder_without_features(tmp_path: Path) -> None:
    touch(tmp_path, ["photo.jpg"])
    with pytest.raises(FacepartError, match="holds no features"):
        find_features(tmp_path)
    np.save(tmp_path / "features.npy", np.ones((1, 4), np.float32))
    with pytest.raises(FacepartError, match=r"features\.npy: is a matrix of embeddings, which needs no list"):
        find_features(tmp_path)
    with pytest.raises(FacepartError, match="no such folder"):
        find_features(tmp_path / "missing")


@pytest.mark.parametrize("program", [["./lists/"], ["-m", "facepart", "lists"]])
def test_the_command_writes_a_group(tmp_path: Path, run: Run, program: list[str]) -> None:
    touch(tmp_path / "f", ["001_1.npy", "001_2.npy", "002_1.npy", "003_1.npy"])
    (tmp_path / "people.csv").write_text("subject,group\n001,CM\n002,CF\n")
    output = tmp_path / "lists" / "CM.txt"
    table = ("--people", tmp_path / "people.csv")
    done = run(*program, "-s", tmp_path / "f", "-o", output, *table, "--group", "CM")
    assert done.returncode == 0
    assert "listed 2 of 4 embeddings (1 subject of group CM) in " in done.stdout
    assert done.stderr == f"facepart: {tmp_path / 'people.csv'}: left out 1 subject without a row: 003\n"
    assert output.read_text() == f"{tmp_path}/f/001_1.npy\n{tmp_path}/f/001_2.npy\n"
    done = run(*program, "-s", tmp_path / "f", "-o", output)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(read_list(output)) == 4


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        (["--group", "CM"], 2, "--people and --group go together"),
        (["--people", "people.csv", "--group", "MC"], 1, "has no group 'MC'; its groups (rows): CM (2), CF (1)"),
        (["--people", "missing.csv", "--group", "CM"], 1, "missing.csv: no such table of subjects"),
        (["-o", "f/001_1.npy"], 2, "001_1.npy: a list is a text, and embeddings are called *.npy"),
        (
            ["-d", "MORPH", "--people", "people.csv", "--group", "CF"],
            1,
            "none of 2 features belongs to group 'CF' of ",
        ),
        (
            ["-d", "CHIYA_VAL", "--people", "people.csv", "--group", "CM"],
            1,
            "x/1: no subject can be read from this name",
        ),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, run: Run, options: list[str], status: int, reason: str) -> None:
    touch(tmp_path / "f", ["001_1.npy", "x/1.npy"])
    (tmp_path / "people.csv").write_text("subject,group\n001,CM\n002,CF\n003,CM\n")
    paths = [str(tmp_path / option) if option.endswith((".csv", ".npy")) else option for option in options]
    done = run("./lists/", "-s", tmp_path / "f", "-o", tmp_path / "CM.txt", *paths)
    assert done.returncode == status
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "CM.txt").exists()


def test_the_samples_are_what_the_readme_says() -> None:
    folder = ROOT / "lists"
    assert all(path.suffix == ".jpg" for path in read_list(folder / "sample_photos.txt"))
    features = read_list(folder / "sample_features.txt")
    people = read_people(folder / "sample_people.csv")
    assert {path.stem.split("_")[0] for path in features} == set(people.by_subject)
