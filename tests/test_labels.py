"""Labels: as many folders as tell photos apart; what is read from them; the same photo in two lists."""

from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.data.labels import cut_labels, distinct_depth, labels_of, names_below, readable_depth
from facepart.data.naming_conventions import naming_rule
from facepart.errors import FacepartError
from facepart.matching.match import match_features
from tests.conftest import Run
from tests.test_matching_features import write_features, write_list

# As in the YouTube Faces Database: person/video/video.frame.
FRAMES = [f"{person}/{video}/{video}.{frame}" for person in ("Ann", "Bob") for video in (0, 1) for frame in (1, 2)]
COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["/d/f/1.npy", "/d/f/2.npy"], ["f/1", "f/2"]),
        (["/d/CM/1.npy", "/d/CF/1.npy"], ["CM/1", "CF/1"]),
        (["/d/a/CM/1.npy", "/d/b/CF/1.npy"], ["CM/1", "CF/1"]),  # the last folder is enough
        (["/d/a/CM/1.npy", "/d/b/CM/1.npy"], ["a/CM/1", "b/CM/1"]),
        (["/d/a/CM/1.npy", "/d/b/CM/1.npy", "/d/b/2.npy"], ["a/CM/1", "b/CM/1", "b/2"]),
        (["/d/f/1.npy", "/d/f/1.npy"], ["f/1", "f/1"]),  # one photo, listed twice
        (["/d/f/../g/1.npy"], ["g/1"]),
        (["/d/f/subject01.happy.npy"], ["f/subject01.happy"]),
        (["/1.npy"], ["1"]),
        ([], []),
    ],
)
def test_a_label_is_the_shortest_end_that_tells_photos_apart(paths: list[str], labels: list[str]) -> None:
    assert labels_of([Path(path) for path in paths]) == labels


PATHS = st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4), min_size=1, max_size=8)


@given(PATHS)
def test_different_paths_have_different_labels_and_no_folder_too_many(parts: list[list[str]]) -> None:
    paths = [Path("/top", *each, "x.npy") for each in parts]
    labels = labels_of(paths)
    for (one, label), (other, other_label) in combinations(zip(paths, labels, strict=True), 2):
        assert (one == other) == (label == other_label)
    for path, label in zip(paths, labels, strict=True):
        assert str(path.with_suffix("")).endswith(f"/{label}")
    depth = max(label.count("/") for label in labels) + 1
    if depth > 2:  # with a folder less, two of them would be the same
        shorter = {"/".join(label.split("/")[-depth + 1 :]) for label in labels}
        assert len(shorter) < len(set(labels))


def test_a_pattern_that_no_label_matches_gets_another_folder() -> None:
    names = ["Ann/s0/x1", "Ann/s1/x2", "Bob/s2/x3"]
    assert (distinct_depth(names), cut_labels(names, 2)) == (2, ["s0/x1", "s1/x2", "s2/x3"])
    for pattern, depth in [("(Ann|Bob)/", 3), ("([^/]+)/[^/]+/[^/]+$", 3), ("^([^/]+)/", 2), ("([^/]+)/[^/]+$", 2)]:
        assert readable_depth([names], [naming_rule(None, pattern)]) == depth
    # One that matches some of them fits; the others are mistakes.
    assert readable_depth([names], [naming_rule(None, "(s0)/")]) == 2
    assert readable_depth([names], [naming_rule(None, "Cid")]) == 3


def match(folder: Path, pattern: str | None, names: list[str] = FRAMES, **options: Any):
    source = write_list(folder / "list.txt", write_features(folder / "f", names))
    return match_features(source, None, folder / "out", "G", subject_pattern=pattern, **options)


@pytest.mark.parametrize("pattern", ["(Ann|Bob)/", "^([^/]+)/", "([^/]+)/[^/]+/[^/]+$", "^(?P<subject>[A-Z])"])
def test_the_person_above_a_session_can_be_told(tmp_path: Path, pattern: str) -> None:
    found = match(tmp_path, pattern)
    assert (found.subjects, found.authentic, found.impostor) == (2, 12, 16)
    labels = (tmp_path / "out" / "G_labels.txt").read_text().splitlines()
    assert labels == [f"{row} {name}" for row, name in enumerate(sorted(FRAMES))]


def test_the_person_can_be_told_where_the_frames_alone_differ(tmp_path: Path) -> None:
    names = [name.replace(".", f".{place}") for place, name in enumerate(FRAMES)]
    found = match(tmp_path, "([^/]+)/[^/]+/[^/]+$", names)
    assert (found.subjects, found.authentic, found.impostor) == (2, 12, 16)
    apart = match(tmp_path, "([^/]+)/[^/]+/[^/]+$", names, exclude_same="[^/]+/[^/]+(?=/[^/]+$)")
    assert (apart.authentic, apart.excluded) == (8, 4)  # pairs of one video are left out


def test_people_in_a_matrix_can_be_told_by_its_names(tmp_path: Path) -> None:
    paths = write_features(tmp_path / "f", FRAMES)
    np.save(tmp_path / "features.npy", np.stack([np.load(path) for path in paths]))
    (tmp_path / "names.txt").write_text("".join(f"{name}\n" for name in FRAMES))
    (tmp_path / "labels.txt").write_text("".join(f"{name.split('/', 1)[1]}\n" for name in FRAMES))
    out = match_features(tmp_path / "features.npy", None, tmp_path / "out", "G", subject_pattern="(Ann|Bob)/")
    assert (out.subjects, out.authentic, out.impostor) == (2, 12, 16)


# Photos of one name in sessions of one person; and copies of them with a part occluded.
SESSIONS = [f"{person}/{session}/{name}" for person in ("Ann", "Bob") for session in (1, 2) for name in "ab"]


@pytest.mark.parametrize("chosen", [SESSIONS, SESSIONS[:5], SESSIONS[2:], SESSIONS[1:2] + SESSIONS[6:]])
def test_a_photo_is_not_compared_with_its_copy_but_with_others_of_its_name(tmp_path: Path, chosen: list[str]) -> None:
    probe = write_list(tmp_path / "p.txt", write_features(tmp_path / "blurred", chosen, seed=1))
    gallery = write_list(tmp_path / "g.txt", write_features(tmp_path / "baseline", SESSIONS))
    out = match_features(probe, gallery, tmp_path / "out", "G", subject_pattern="(Ann|Bob)/")
    pairs = list(product(chosen, SESSIONS))
    assert out.left_out == sum(one == other for one, other in pairs)
    assert out.authentic == sum(one[:3] == other[:3] and one != other for one, other in pairs)
    assert out.impostor == sum(one[:3] != other[:3] for one, other in pairs)


def test_folders_do_not_count_where_the_two_sides_share_none(tmp_path: Path) -> None:
    probe = [*write_features(tmp_path / "eyes", ["1_1", "2_1"]), *write_features(tmp_path / "nose", ["1_1", "2_1"])]
    gallery = write_list(tmp_path / "g.txt", write_features(tmp_path / "baseline", ["1_1", "1_2", "2_1"]))
    out = match_features(write_list(tmp_path / "p.txt", probe), gallery, tmp_path / "out", "G", dataset="MORPH")
    assert (out.left_out, out.authentic, out.impostor) == (4, 2, 6)


@pytest.mark.parametrize(("one", "other"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_names_from_a_mac_and_from_a_keyboard_are_one_person(tmp_path: Path, one: str, other: str) -> None:
    found = match(tmp_path, None, [f"{one}_1", f"{other}_2", "Zoe_1"], dataset="MORPH")
    assert (found.subjects, found.authentic, found.impostor) == (2, 1, 2)
    # Files keep their own characters.
    labels = (tmp_path / "out" / "G_labels.txt").read_text(encoding="utf-8")
    assert f"f/{one}_1\n" in labels
    assert f"f/{other}_2\n" in labels
    assert match(tmp_path, f"/({other}|Zoe)_", [f"{one}_1", f"{one}_2", "Zoe_1"]).authentic == 1
    # The same photo, as two systems write it.
    probe = write_list(tmp_path / "p.txt", write_features(tmp_path / "p", [f"{one}_1", "Zoe_1"]))
    gallery = write_list(tmp_path / "g.txt", write_features(tmp_path / "g", [f"{other}_1", "Zoe_2"]))
    assert match_features(probe, gallery, tmp_path / "x", "G", dataset="MORPH").left_out == 1


def test_a_label_that_the_pattern_does_not_match_is_shown_whole(tmp_path: Path) -> None:
    with pytest.raises(FacepartError, match=r"^Ann/0/0\.1: does not match"):
        match(tmp_path, "Cid")


def test_the_command_tells_people_of_nested_folders(tmp_path: Path, run: Run) -> None:
    write_features(tmp_path / "f", FRAMES)
    listed = run("./lists/", "-s", tmp_path / "f", "-o", tmp_path / "l.txt")
    assert (listed.returncode, listed.stderr) == (0, "")
    command = ("./face_matching/", "-p", tmp_path / "l.txt", "-o", tmp_path / "m", "-gr", "x")
    done = run(*command, "--subject-pattern", "(Ann|Bob)/")
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 embeddings of 2 subjects with each other: 12 authentic and 16 impostor scores" in done.stdout
    refused = run(*command)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    assert "say it with -d or --subject-pattern" in refused.stderr


def test_names_below_a_common_folder() -> None:
    assert names_below([Path("/d/a/1.npy"), Path("/d/b/c/2.npy")]) == ["a/1", "b/c/2"]
