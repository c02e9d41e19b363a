"""A study of photos in nested folders and of groups of any name, against the scripts by hand."""

import csv
import json
from pathlib import Path

import pytest

from facepart.data.group_files import group_prefix
from facepart.data.naming_conventions import find_exclusion, naming_rule
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.data.recognise_convention import recognise_convention
from facepart.data.subject_table import read_people
from facepart.errors import FacepartError, UsageError
from facepart.study import Request, run_study
from facepart.study.groups import assign_groups, photo_rules

NESTED = [f"{person}/{session}/{name}" for person in ("Ann", "Bob") for session in ("1", "2") for name in "ab"]


def test_people_above_sessions_are_read_from_the_names_of_photos() -> None:
    exclusion = find_exclusion(None, "(Ann|Bob)/", "/([12])/")
    rule, session = photo_rules(NESTED, naming_rule(None, "(Ann|Bob)/"), exclusion)
    assert session
    assert [rule(name) for name in NESTED] == ["Ann"] * 4 + ["Bob"] * 4
    assert [session(name) for name in NESTED] == ["1", "1", "2", "2"] * 2
    members = assign_groups(NESTED, None, rule, [])
    assert members.subjects == {"all": 2}
    assert members.only(NESTED[:4], rule).subjects == {"all": 1}
    with pytest.raises(UsageError, match=r"another folder, with --subject-pattern"):
        recognise_convention([NESTED], "photos")


@pytest.mark.parametrize("pattern", ["^(.*)$", "^(\\w+)/", r"^baseline/(\d+)_"])
def test_a_photo_beside_folders_whose_names_are_read_is_refused(pattern: str) -> None:
    # In each condition it would be in the folder of this condition, and its subject another.
    names = ["baseline/001_1", "001_1", "002_1"]
    with pytest.raises(
        FacepartError, match=r"^001_1: is in no folder, but -d, --subject-pattern or --exclude-same reads"
    ):
        photo_rules(names, naming_rule(None, pattern), None)
    exclusion = find_exclusion(None, r"(\d+)_", pattern)
    with pytest.raises(
        FacepartError, match=r"^001_1: is in no folder, but -d, --subject-pattern or --exclude-same reads"
    ):
        photo_rules(names, naming_rule(None, r"(\d+)_"), exclusion)
    rule, _ = photo_rules(names, naming_rule("MORPH"), None)
    assert [rule(name) for name in names] == ["001", "001", "002"]
    with pytest.raises(FacepartError, match="is in no folder"):
        photo_rules(names[1:], naming_rule(None, pattern), None)


def test_a_session_that_a_name_does_not_tell_is_refused() -> None:
    exclusion = find_exclusion(None, "/([ab])", "s([0-9])")
    rule, session = photo_rules(["a_s1", "a_s2", "b"], naming_rule(None, "/([ab])"), exclusion)
    members = assign_groups(["a_s1", "a_s2", "b"], None, rule, [])
    with pytest.raises(FacepartError, match=r"^baseline/b: does not match --exclude-same"):
        members.refuse_photos_without_session(session)


def test_groups_that_differ_by_case_alone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("subject,group\n1,CM\n2,cm\n")
    people = read_people(tmp_path / "people.csv")
    rule, _ = photo_rules(["1_1", "2_1"], naming_rule("MORPH"), None)
    with pytest.raises(UsageError, match="groups 'CM' and 'cm' differ by case or blanks alone"):
        assign_groups(["1_1", "2_1"], people, rule, [])
    assert assign_groups(["1_1", "2_1"], people, rule, ["cm"]).groups == {"cm": ["2_1"]}


@pytest.mark.parametrize("names", [["1_1", "1_2", "2_1"], ["a/1_1", "a/1_2", "b/2_1"]])
def test_a_study_finds_photos_by_absolute_paths(tmp_path: Path, names: list[str]) -> None:
    rows = "".join(f"/data/photos/{name}.jpg,CM\n" for name in names)
    (tmp_path / "people.csv").write_text(f"photo,group\n{rows}")
    rule, _ = photo_rules(names, naming_rule("MORPH"), None)
    assert assign_groups(names, read_people(tmp_path / "people.csv"), rule, []).groups == {"CM": names}


def test_photos_in_the_group_of_other_photos_are_known_in_a_study(tmp_path: Path) -> None:
    rows = "1_1,1,CM\n2_1,2,CM\n3_1,3,CF\n4_1,4,CM\n4_2,4,CF\n"
    (tmp_path / "people.csv").write_text(f"photo,subject,group\n{rows}")
    names = ["1_1", "1_2", "2_1", "3_1", "3_2", "4_3", "5_1"]
    rule, _ = photo_rules(names, naming_rule("MORPH"), None)
    members = assign_groups(names, read_people(tmp_path / "people.csv"), rule, [])
    assert (members.without_row, members.in_several) == (["4", "5"], ["4"])
    assert members.without_own_row == {"CM": ["1_2"], "CF": ["3_2"]}
    assert members.without_small(tmp_path, 2).without_own_row == {"CM": ["1_2"]}


@pytest.mark.slow
def test_a_study_of_groups_with_any_name(
    tmp_path: Path, face_paths: list[Path], bisenet_weights: Path, recogniser_weights: Path
) -> None:
    del bisenet_weights
    groups = ["Asian/Pacific", "Black, non-Hispanic"]
    # The user's own folder called photos is no output of the study, although the study is beside it.
    for number, path in enumerate(face_paths[:4]):
        write_image(tmp_path / "photos" / f"{number:03}_1.png", read_photo(path)[::2, ::2].copy())
    with (tmp_path / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("subject", "group"), *((f"{n:03}", groups[n // 2]) for n in range(4))])
    notes: list[str] = []
    request = Request(
        source=tmp_path,
        output=tmp_path,
        people=tmp_path / "people.csv",
        groups=["Black", "non-Hispanic", "Asian/Pacific"],  # as an option gives them, which commas separate
        parts=["nose"],
        models=[str(recogniser_weights)],
        device="cpu",
        precision="fp32",
    )
    outcome = run_study(request, on_note=notes.append)
    assert notes == ["subjects by the MORPH convention: 000_1.png -> 000"]
    assert {result.group for result in outcome.figures.results} == set(groups)
    for group in groups:
        assert (tmp_path / "matches" / "nose" / f"{group_prefix(group)}_scores.npz").exists()
    with (tmp_path / "results.csv").open(newline="") as file:
        assert {row["group"] for row in csv.DictReader(file)} == set(groups)
    assert "Asian/Pacific" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["dataset"] == "MORPH"
    again = run_study(request)
    assert (again.embedded, again.compared, again.skipped) == (0, 0, 4)
