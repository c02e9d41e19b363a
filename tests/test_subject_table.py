"""Tables of people: which features belong to a group, and what is wrong with a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from facepart.data.labels import names_below
from facepart.data.naming_conventions import Rule, naming_rule
from facepart.data.subject_table import People, read_people
from facepart.errors import FacepartError
from facepart.matching.features import unread_features
from facepart.matching.groups import split_by_people

FEATURES = ["001_0.npy", "001_1.npy", "002_0.npy", "sub/003_0.npy", "sub/v1.2_004.npy"]


class Selection(NamedTuple):
    chosen: list[Path]
    subjects: int
    without_row: list[str]
    without_group: list[str]


def select_group(features: Sequence[Path], folder: Path, people: People, group: str, rule: Rule) -> Selection:
    """Choose the features of a group, as `facepart lists` does."""
    unread = unread_features(folder, names_below(features), features)
    split = split_by_people(unread, None, people, rule, [group])
    (found,) = split.groups
    subjects = {rule(label) for label in found.probe.labels}
    return Selection(list(found.probe.paths), len(subjects), split.without_row, split.without_group)


def select(tmp_path: Path, table: str, group: str = "CM", column: str = "group") -> Selection:
    (tmp_path / "people.csv").write_bytes(table.encode())
    people = read_people(tmp_path / "people.csv", column)
    features = [tmp_path / "f" / name for name in FEATURES]
    return select_group(features, tmp_path / "f", people, group, naming_rule("MORPH"))


def names(selection: Selection) -> list[str]:
    return [path.name for path in selection.chosen]


@pytest.mark.parametrize("column", ["subject", "person", "name", "identity", "id", "Subject", " ID "])
def test_groups_by_subject(tmp_path: Path, column: str) -> None:
    found = select(tmp_path, f"{column},images,group\n001,2,CM\n002,1,CF\n003,1,\n")
    assert names(found) == ["001_0.npy", "001_1.npy"]
    assert (found.subjects, found.without_row, found.without_group) == (1, ["v1.2"], ["003"])


@pytest.mark.parametrize("column", ["image", "photo", "file", "FILE"])
def test_photos_by_name_or_path_with_or_without_extension(tmp_path: Path, column: str) -> None:
    found = select(tmp_path, f"{column},group\n001_0.jpg,CM\nsub/003_0.png,CM\n002_0,CF\nv1.2_004,CM\n")
    assert names(found) == ["001_0.npy", "003_0.npy", "v1.2_004.npy"]
    assert found.without_row == ["001"]


def test_photos_are_found_by_embeddings_whose_names_kept_an_extension(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("image,group\n001_0.JPG,CM\nsub/003_0,CM\n002_0.png,CF\n")
    features = [tmp_path / "f" / f"{name}.npy" for name in ("001_0.jpg", "002_0.jpg", "sub/003_0.png")]
    people = read_people(tmp_path / "people.csv")
    found = select_group(features, tmp_path / "f", people, "CM", naming_rule("MORPH"))
    assert names(found) == ["001_0.jpg.npy", "003_0.png.npy"]


def test_a_photo_is_looked_up_before_its_subject(tmp_path: Path) -> None:
    table = "image,subject,group\n001_1.jpg,001,CF\n002_0.jpg,002,CM\nother.jpg,003,CM\n"
    found = select(tmp_path, table)
    # 001_0 has no row of its own and goes by its person's.
    assert names(found) == ["002_0.npy", "003_0.npy"]
    assert names(select(tmp_path, table, group="CF")) == ["001_0.npy", "001_1.npy"]


def test_a_subject_in_two_groups_gives_no_group_to_a_photo_without_a_row(tmp_path: Path) -> None:
    found = select(tmp_path, "image,subject,group\n001_1.jpg,001,CM\nx.jpg,001,CF\n002_0.jpg,002,CF\n")
    assert names(found) == ["001_1.npy"]
    assert "001" in found.without_row


def test_a_row_that_is_longer_than_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FacepartError, match=r"line 3: has 4 cells, but the header has 3; put a cell with a comma in quo"
    ):
        select(tmp_path, "subject,age,group\n001,30,CM\n002,30, 31,CF\n")
    found = select(tmp_path, "subject,group\n001,CM,\n002,CF,,\n")  # as spreadsheets write them
    assert names(found) == ["001_0.npy", "001_1.npy"]


def test_byte_order_mark_crlf_quotes_short_rows_and_repeated_rows(tmp_path: Path) -> None:
    table = '\ufeff"subject",race,group\r\n001,"other,caucasian",CM\r\n\r\n001,,CM\r\n002\r\n'
    found = select(tmp_path, table)
    assert names(found) == ["001_0.npy", "001_1.npy"]
    assert found.without_group == ["002"]


@pytest.mark.parametrize(
    ("table", "group", "reason"),
    [
        ("", "CM", "has no column 'group', only none"),
        ("subject,sex\n001,male\n", "CM", "has no column 'group', only subject, sex; name the one"),
        ("who,group\n001,CM\n", "CM", "one of image, photo, file, subject, person, name, identity, id"),
        ("subject,group\n", "CM", "has a header but no rows"),
        ("subject;group\n001;CM\n", "CM", "has semicolons between its columns; they have to be commas"),
        ("subject\tgroup\n001\tCM\n", "CM", "has tabs between its columns; they have to be commas"),
        ("subject,group,Group\n001,CM,CM\n002,CM,CF\n", "CM", "line 3: two columns called 'group' differ"),
        ("subject,group,Subject\n001,CM,002\n", "CM", "line 2: two columns called 'subject' differ"),
        ("subject,group\n001,CM\n001,CF\n", "CM", "puts 001 into two groups, 'CM' and 'CF'"),
        ("photo,group\n1.jpg,CM\n1.png,CF\n", "CM", "puts 1 into two groups"),
        (
            "subject,group\n001,CM\n002,CF\n003,CF\n004,\n",
            "cm",
            "has no group 'cm' (did you mean CM?); its groups (rows): CF (2), CM (1)",
        ),
        ("subject,group\n001,CM\n", "", "has no group ''"),
        # A quote that is not closed would take the rows behind it.
        ('subject,group\n001,"CM\n002,CF\n', "CM", "is not a CSV file in UTF-8 (unexpected end of data)"),
        ("subject,group\n001,CM\0\n", "CM", "is not a CSV file in UTF-8 (it has a byte of zero)"),
        ("subject,group\nx,CM\n", "CM", "none of 5 features belongs to group 'CM'"),
    ],
)
def test_unusable_tables_give_one_line(tmp_path: Path, table: str, group: str, reason: str) -> None:
    with pytest.raises(FacepartError) as caught:
        select(tmp_path, table, group)
    message = str(caught.value)
    assert reason in message
    assert "people.csv" in message
    assert "\n" not in message


def test_a_table_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(FacepartError, match="is not a CSV file in UTF-8"):
        read_people(tmp_path / "people.csv")
    with pytest.raises(FacepartError, match="no such table of subjects"):
        read_people(tmp_path / "missing.csv")


def test_the_tables_of_the_real_faces(shared: Path) -> None:
    folder = shared / "data" / "london" / "images"
    features = [(folder / path.name).with_suffix(".npy") for path in sorted(folder.iterdir())]
    people = read_people(shared / "data" / "london" / "people.csv", "sex")
    found = {sex: select_group(features, folder, people, sex, naming_rule("MORPH")) for sex in people.groups if sex}
    assert sum(len(selection.chosen) for selection in found.values()) == len(features)
    assert all(not selection.without_row for selection in found.values())

    folder = shared / "data" / "lfw" / "images"
    features = [path.with_suffix(".npy") for path in sorted(folder.glob("*/*.jpg"))]
    people = read_people(shared / "data" / "lfw" / "people.csv")
    chosen = select_group(features, folder, people, "CM", naming_rule("LFW"))
    assert chosen.subjects == people.groups["CM"]
    assert {path.parent.name for path in chosen.chosen} <= set(people.by_subject)
