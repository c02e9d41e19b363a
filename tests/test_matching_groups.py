"""Several groups in one call: selected by a table of subjects, or named one by one."""

from pathlib import Path

import numpy as np
import pytest

from facepart.data.naming import naming_rule
from facepart.data.subject_table import read_people
from facepart.errors import FacepartError
from facepart.matching.features import read_features
from facepart.matching.groups import Split, split_by_people
from tests.conftest import Run
from tests.test_matching import NAMES, listed
from tests.test_matching_features import write_features

TABLE = "subject,group\n001,CM\n002,CM\n003,CF\n004,CF\n005,\n"
ALL = [*NAMES, "004_1", "005_1", "006_1"]


def people(tmp_path: Path, text: str = TABLE) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text)
    return path


def split(tmp_path: Path, source: Path, names: tuple[str, ...] = (), gallery: Path | None = None) -> Split:
    other = None if gallery is None else read_features(gallery)
    rule = naming_rule("MORPH")
    return split_by_people(read_features(source), other, read_people(tmp_path / "people.csv"), rule, names)


def test_a_group_has_the_features_of_its_subjects(tmp_path: Path) -> None:
    people(tmp_path)
    source, blurred = listed(tmp_path / "f", ALL), listed(tmp_path / "b", ALL[:6], seed=1)
    found = split(tmp_path, source)
    assert [group.name for group in found.groups] == ["CF", "CM"]
    assert (found.without_row, found.without_group) == (["006"], ["005"])
    women, men = found.groups
    assert list(women.probe.labels) == ["f/003_1", "f/004_1"]
    assert np.array_equal(men.probe.matrix, read_features(source).matrix[:4])
    (only,) = split(tmp_path, blurred, ("CF",), gallery=source).groups
    assert list(only.probe.labels) == ["b/003_1", "b/004_1"]
    assert only.gallery
    assert list(only.gallery.labels) == ["f/003_1", "f/004_1"]


def test_photos_go_by_name_or_path_in_lists_and_matrices(tmp_path: Path) -> None:
    people(tmp_path, "image,group\nf/001_1.jpg,CM\n002_1,CM\nx/f/001_2.png,CF\nother/003_1,CF\n")
    source = listed(tmp_path / "x" / "f")
    assert [list(group.probe.labels) for group in split(tmp_path, source).groups] == [
        ["f/001_2"],
        ["f/001_1", "f/002_1"],
    ]
    features = read_features(source)
    np.save(tmp_path / "features.npy", features.matrix)
    (tmp_path / "labels.txt").write_text("\n".join(features.labels))
    # A matrix knows of its photos no more than folder and name.
    assert [list(group.probe.labels) for group in split(tmp_path, tmp_path / "features.npy").groups] == [
        ["f/001_1", "f/002_1"]
    ]


def test_named_groups_without_features_are_reported(tmp_path: Path) -> None:
    people(tmp_path)
    source = listed(tmp_path / "f", ["001_1", "002_1"])
    assert [group.name for group in split(tmp_path, source).groups] == ["CM"]
    with pytest.raises(FacepartError, match=r"none of 2 features belongs to group 'CF'"):
        split(tmp_path, source, ("CF",))
    with pytest.raises(FacepartError, match=r"has no group 'AAM'; its groups \(rows\): CM \(2\), CF \(2\)"):
        split(tmp_path, source, ("AAM",))
    with pytest.raises(FacepartError, match=r"belongs to a group of .*subjects without a row: 1, e.g. '009'"):
        split(tmp_path, listed(tmp_path / "g", ["009_1"]))


def test_one_call_matches_every_group_of_a_table(tmp_path: Path, run: Run) -> None:
    source = listed(tmp_path / "f", ALL)
    table = people(tmp_path)
    command = ("-m", "facepart", "match", "-p", source, "-o", tmp_path / "out", "--people", table)
    done = run(*command)
    assert done.returncode == 0
    convention, *lines = done.stdout.splitlines()
    assert convention == "subjects by the MORPH convention: 001_1 -> 001"
    assert [line.split(":")[0] for line in lines] == ["CF", "CM"]
    assert all(line.endswith(" s") for line in lines)
    assert "left out 1 subject without a row: 006" in done.stderr
    assert "left out 1 subject without a group: 005" in done.stderr
    assert "CF: no authentic pairs" in done.stderr
    alone = run("-m", "facepart", "match", "-p", listed(tmp_path / "f", NAMES[:4]), "-o", tmp_path / "a", "-gr", "CM")
    assert alone.returncode == 0
    for name in ("CM_scores.npz", "CM_impostor.npy", "CM_labels.txt"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "a" / name).read_bytes()
    chosen = run(*command, "-gr", "CM")
    assert [line.split(":")[0] for line in chosen.stdout.splitlines()[1:]] == ["CM"]
    # A group that has become too small keeps the files of the earlier run.
    table.write_text("subject,group\n001,CM\n002,CM\n003,CF\n")
    listed(tmp_path / "f", ALL)
    again = run(*command)
    assert again.returncode == 0
    assert f"{tmp_path}/out/CF_scores.npz: is of an earlier run, which had this group" in again.stderr


def test_one_call_matches_every_group_that_is_named(tmp_path: Path, run: Run) -> None:
    one, other = listed(tmp_path / "f"), listed(tmp_path / "g", seed=1)
    both = ("-p", one, "-gr", "CM", "-p", other, "-gr", "CF")
    done = run("-m", "facepart", "match", *both, "-g", other, "-g", one, "-o", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    labels = (tmp_path / "out" / "CF_gallery_labels.txt").read_text()
    assert labels.startswith("0 f/001_1\n")
    assert (tmp_path / "out" / "CM_scores.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["-p", "f.txt"], 2, "give one -gr for each -p (1), the name of its group; or --people"),
        (["-p", "f.txt", "-p", "f.txt", "-gr", "CM"], 2, "give one -gr for each -p (2)"),
        (["-p", "f.txt", "-p", "f.txt", "-gr", "CM", "-gr", "CF", "-g", "f.txt"], 2, "give one -g for each -p (2)"),
        (["-p", "f.txt", "-p", "f.txt", "-gr", "CM", "-gr", "CM"], 1, "-gr CM: is given twice"),
        (["-p", "f.txt", "-p", "f.txt", "--people", "people.csv"], 2, "--people selects the groups from one -p"),
        (["-p", "f.txt", "--people", "people.csv", "--group-column", "race"], 1, "has no column 'race'"),
        (["-p", "f.txt", "--people", "people.csv", "-gr", "CF"], 1, "of group 'CF' show one subject, '003'"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, run: Run, arguments: list[str], status: int, reason: str) -> None:
    write_features(tmp_path / "f", NAMES)
    listed(tmp_path / "f")
    people(tmp_path)
    paths = [str(tmp_path / each) if each.endswith((".txt", ".csv")) else each for each in arguments]
    done = run("-m", "facepart", "match", *paths, "-o", tmp_path / "out")
    assert done.returncode == status
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
