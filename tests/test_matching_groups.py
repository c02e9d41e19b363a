"""Several groups in one call: selected by a table of subjects, or named one by one."""

from pathlib import Path

import numpy as np
import pytest

from facepart.data.naming_conventions import naming_rule
from facepart.data.subject_table import read_people
from facepart.errors import FacepartError
from facepart.matching.features import read_features
from facepart.matching.groups import Split, split_by_people
from tests.conftest import Run
from tests.test_matching import NAMES, listed
from tests.test_matching_features import write_features, write_list

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


FOLDERS = ["alice/1", "alice/2", "amy/1", "bob/1", "bob/3", "carol/1", "carol/2", "dave/3"]


def by_folder(tmp_path: Path, table: str, dataset: str = "FOLDER") -> tuple[dict[str, list[str]], list[str]]:
    """The labels of each group, and the subjects without a row, of photos in the folders of their subjects."""
    write_features(tmp_path / "f", FOLDERS)
    source = write_list(tmp_path / "f.txt", [tmp_path / "f" / f"{name}.npy" for name in FOLDERS])
    read = read_people(people(tmp_path, table))
    found = split_by_people(read_features(source), None, read, naming_rule(dataset))
    return {group.name: list(group.probe.labels) for group in found.groups}, found.without_row


def test_a_photo_of_a_subject_is_not_another_subjects_photo_of_the_same_name(tmp_path: Path) -> None:
    table = "subject,image,group\nalice,1.jpg,F\nalice,2.jpg,F\namy,1.jpg,F\nbob,1.jpg,M\nbob,3.jpg,M\n"
    groups = {"F": ["alice/1", "alice/2", "amy/1"], "M": ["bob/1", "bob/3"]}
    assert by_folder(tmp_path, table) == (groups, ["carol", "dave"])
    # Without its subject, a name is that of all photos that are called so.
    assert by_folder(tmp_path, "image,group\n2.jpg,F\n") == (
        {"F": ["alice/2", "carol/2"]},
        ["alice", "amy", "bob", "carol", "dave"],
    )


def test_a_photo_in_its_subjects_folder_has_its_row_whatever_the_table_calls_the_subject(tmp_path: Path) -> None:
    table = "id,image,group\n1,alice/1.jpg,F\n2,alice/2.png,F\n3,bob/1,M\n4,3.jpg,M\n"
    groups = {"F": ["alice/1", "alice/2"], "M": ["bob/1"]}
    assert by_folder(tmp_path, table) == (groups, ["amy", "bob", "carol", "dave"])
    with pytest.raises(FacepartError, match=r"people.csv: puts alice/1 into two groups, 'F' and 'M'"):
        by_folder(tmp_path, table + "5,alice/1.jpg,M\n")
    with pytest.raises(FacepartError, match=r"people.csv: puts 3 of 4 into two groups, 'M' and 'F'"):
        by_folder(tmp_path, table + "4,3.jpg,F\n")


def test_photos_that_take_the_group_of_other_photos_are_said(tmp_path: Path, run: Run) -> None:
    source = listed(tmp_path / "f", ["001_1", "001_2", "002_1", "002_2", "003_1", "003_2", "004_1", "004_2"])
    rows = "001_1,001,no\n002_1,002,no\n003_1,003,no\n,003,no\n004_1,004,yes\n004_2,004,no\n"
    table = people(tmp_path, "image,subject,glasses\n" + rows)
    command = ("--people", table, "--group-column", "glasses")
    # A row of 003 names no photo, so that it is of all of them.
    said = (
        f"facepart: {table}: 2 photos have no row and take the group of their subject's other photos, e.g. f/001_2\n"
    )
    done = run("-m", "facepart", "match", "-p", source, "-o", tmp_path / "out", *command)
    small = f"facepart: {table}: left out 1 group of fewer than 2 subjects: yes (1)\n"
    assert (done.returncode, done.stderr) == (0, small + said)
    done = run(
        *("-m", "facepart", "lists", "-s", tmp_path / "f", "-o", tmp_path / "no.txt"), *command, "--group", "no"
    )
    assert (done.returncode, done.stderr) == (0, said)
    done = run(
        *("-m", "facepart", "lists", "-s", tmp_path / "f", "-o", tmp_path / "y.txt"), *command, "--group", "yes"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_subjects_with_rows_in_several_groups_are_not_without_a_row(tmp_path: Path, run: Run) -> None:
    source = listed(tmp_path / "f", ["001_1", "001_2", "001_3", "002_1", "003_1", "004_1"])
    rows = "001_1,001,no\n001_2,001,yes\n,002,no\n002_1,002,yes\n,003,no\n"
    table = people(tmp_path, "image,subject,group\n" + rows)
    done = run("-m", "facepart", "match", "-p", source, "-o", tmp_path / "out", "--people", table)
    assert done.stderr.splitlines()[:2] == [
        f"facepart: {table}: left out 1 subject without a row: 004",
        f"facepart: {table}: left out photos without a row of 1 subject with rows in several groups: 001",
    ]
    # The row of a photo comes first, then a row of the subject that names none, whatever its photos' rows say.
    assert read_people(table).by_subject == {"002": "no", "003": "no"}
    source = listed(tmp_path / "g", ["001_3", "001_4"])
    with pytest.raises(FacepartError) as caught:
        split(tmp_path, source)
    assert "; photos without a row of 1 subject with rows in several groups: 001; check that" in str(caught.value)
    assert "subjects without a row" not in str(caught.value)


@pytest.mark.parametrize("root", ["", "./", ".\\", "../", "/data/photos/", "C:\\photos\\", "/mnt/", "a/b/"])
def test_photos_go_by_any_spelling_of_their_paths(tmp_path: Path, root: str) -> None:
    between = "\\" if "\\" in root else "/"
    rows = "".join(f"{root}{name.replace('/', between)}.jpg,{'MF'[name < 'b']}\n" for name in FOLDERS[:5])
    groups = {"F": ["alice/1", "alice/2", "amy/1"], "M": ["bob/1", "bob/3"]}
    assert by_folder(tmp_path, f"image,group\n{rows}") == (groups, ["carol", "dave"])
    # All photos in one folder, with names that tell the subject.
    source = listed(tmp_path / "x", NAMES[:4])
    people(tmp_path, "image,group\n" + "".join(f"{root}{name}.JPG,CM\n" for name in NAMES[:4]))
    (found,) = split(tmp_path, source).groups
    assert list(found.probe.labels) == [f"x/{name}" for name in NAMES[:4]]


def test_photos_in_one_folder_are_not_those_of_another_if_the_folder_tells_the_subject(tmp_path: Path) -> None:
    write_features(tmp_path / "bob", ["1", "2"])
    source = write_list(tmp_path / "f.txt", [tmp_path / "bob" / f"{number}.npy" for number in (1, 2)])
    read = read_people(people(tmp_path, "image,group\n/data/ann/1.jpg,CF\n/data/ann/2.jpg,CF\n"))
    with pytest.raises(FacepartError, match="none of 2 features belongs to a group"):
        split_by_people(read_features(source), None, read, naming_rule("FOLDER"))


def test_a_folder_further_up_that_tells_photos_apart_is_not_ignored(tmp_path: Path) -> None:
    names = ["ann/0/1", "ann/1/1", "bob/1/1", "bob/1/2"]
    write_features(tmp_path / "f", names)
    source = write_list(tmp_path / "f.txt", [tmp_path / "f" / f"{name}.npy" for name in names])
    rule = naming_rule(None, "([^/]+)/[^/]+/[^/]+$")

    def groups(*photos: str) -> dict[str, list[str]]:
        read = read_people(people(tmp_path, "image,group\n" + "".join(f"{photo},{photo[-1]}\n" for photo in photos)))
        return {group.name: list(group.probe.labels) for group in split_by_people(features, None, read, rule).groups}

    features = read_features(source)
    assert groups("/data/ann/0/1", "/data/bob/1/2") == {"1": ["ann/0/1"], "2": ["bob/1/2"]}
    # bob/0/1 and cy/1/2 have no feature.
    assert groups("/data/ann/1/1", "/data/bob/0/1", "/data/cy/1/2") == {"1": ["ann/1/1"]}


def test_a_feature_that_may_be_two_photos_of_a_table_is_refused_if_they_are_in_two_groups(tmp_path: Path) -> None:
    rows = "/data/day1/alice/1.jpg,F\n/data/day2/alice/1.jpg,{}\n"
    assert by_folder(tmp_path, "image,group\n" + rows.format("F"))[0] == {"F": ["alice/1"]}
    with pytest.raises(FacepartError, match=r"p.*csv: /data/day1/alice/1 and /data/day2/alice/1 are in two groups"):
        by_folder(tmp_path, "image,group\n" + rows.format("M"))


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
