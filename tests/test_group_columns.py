"""Groups by several columns and by bins of numbers, from tables made by hand."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.data.group_columns import GroupColumn, group_names, parse_group_columns
from facepart.data.naming_conventions import naming_rule
from facepart.data.subject_table import People, read_people
from facepart.errors import FacepartError, UsageError
from facepart.study.groups import Members, assign_groups, photo_rules
from tests.conftest import Run
from tests.test_matching import listed

TABLE = (
    "subject,sex,ethnicity,age\n"
    "001,female,asian,17\n"
    "002,female,asian,18\n"
    "003,female,white,29\n"
    "004,male,white,30\n"
    "005,male,white,59\n"
    "006,male,,60\n"
    "007,male,asian,NA\n"
)


def people(tmp_path: Path, column: str, table: str = TABLE) -> People:
    path = tmp_path / "people.csv"
    path.write_text(table)
    return read_people(path, column)


def test_crossed_columns(tmp_path: Path) -> None:
    found = people(tmp_path, "sex,ethnicity")
    assert found.by_subject == {
        "001": "female_asian",
        "002": "female_asian",
        "003": "female_white",
        "004": "male_white",
        "005": "male_white",
        "006": "",
        "007": "male_asian",
    }
    assert found.order == ["female_asian", "female_white", "male_asian", "male_white"]
    assert found.find_groups(["male_white", "female_asian"]) == ["male_white", "female_asian"]
    assert people(tmp_path, " SEX , Ethnicity ").by_subject == found.by_subject
    assert people(tmp_path, "ethnicity,sex").by_subject["001"] == "asian_female"


def test_bins_hold_their_lower_edge_and_not_their_upper_one(tmp_path: Path) -> None:
    found = people(tmp_path, "age:18,30,60")
    assert [found.by_subject[f"00{number}"] for number in range(1, 8)] == [
        "age_under_18",
        "age_18-29",
        "age_18-29",
        "age_30-59",
        "age_30-59",
        "age_60_or_more",
        "",
    ]
    assert found.order == ["age_under_18", "age_18-29", "age_30-59", "age_60_or_more"]
    crossed = people(tmp_path, "age:30,sex")
    assert crossed.order == ["age_under_30_female", "age_30_or_more_male"]
    assert people(tmp_path, "sex,age:30").by_subject["004"] == "male_age_30_or_more"
    assert people(tmp_path, "age:17,18").order == ["age_17", "age_18_or_more"]


@given(
    st.lists(st.integers(-40, 40), min_size=1, max_size=4, unique=True).map(sorted),
    st.lists(st.decimals(-50, 50, places=1), min_size=1, max_size=20),
)
def test_every_number_is_in_the_bin_that_its_name_says(edges: list[int], numbers: list[Decimal]) -> None:
    columns = parse_group_columns(f"x:{','.join(map(str, edges))}", ["x"])
    names = group_names(columns, [(line, [str(number)]) for line, number in enumerate(numbers)])
    whole = all(number >= 0 and number == int(number) for number in [*numbers, *map(Decimal, edges)])
    for number, name in zip(numbers, names, strict=True):
        below = [edge for edge in edges if edge <= number]
        above = [edge for edge in edges if edge > number]
        if not below:
            expected = f"x_under_{edges[0]}"
        elif not above:
            expected = f"x_{edges[-1]}_or_more"
        elif not whole:
            expected = f"x_{below[-1]}_to_{above[0]}"
        else:
            last = above[0] - 1
            expected = f"x_{last}" if last == below[-1] else f"x_{below[-1]}-{last}"
        assert name == expected


def test_edges_that_are_close_have_different_names() -> None:
    names = GroupColumn("x", 0, (0.1, 0.10000001, 1000000.5, 1000000.6)).bin_names([0.5])
    assert len(set(names)) == 5


@pytest.mark.parametrize(
    ("header", "text", "expected"),
    [
        (["a,b", "a", "b"], "a,b", [("a,b", ())]),
        (["a, b", "c"], "c,a,b", [("c", ()), ("a, b", ())]),
        (["age:18", "age"], "age:18", [("age:18", ())]),
        (["age:18", "age"], "age:19", [("age", (19.0,))]),
        (["a,b"], "a,b:1,2.5", [("a,b", (1.0, 2.5))]),
        (["a:b"], "a:b:1", [("a:b", (1.0,))]),
        (["Age", "sex"], "age:-1,0,1e3,sex", [("Age", (-1.0, 0.0, 1000.0)), ("sex", ())]),
        (["30", "age"], "30,age:18,30", [("30", ()), ("age", (18.0, 30.0))]),
        (["sex", "sex"], "sex", [("sex", ())]),
    ],
)
def test_columns_whose_names_hold_commas_and_colons(
    header: list[str], text: str, expected: list[tuple[str, tuple[float, ...]]]
) -> None:
    found = parse_group_columns(text, header)
    assert [(column.name, column.edges) for column in found] == expected
    assert all(header.index(column.name) == column.place for column in found)


@pytest.mark.parametrize(
    ("column", "kind", "reason"),
    [
        ("race", FacepartError, r"people.csv: has no column 'race', only subject, sex, ethnicity, age"),
        ("sex,race", FacepartError, r"has no column 'race'"),
        ("age:18,thirty", FacepartError, r"has no column 'thirty'"),
        ("age:", UsageError, r"--group-column age: has no edges of bins; write e.g. age:18,30,45,60"),
        ("age:old", UsageError, r"'old' is not a number"),
        ("age:nan", UsageError, r"'nan' is not a number"),
        ("age:30,18", UsageError, r"the edges of bins must ascend"),
        ("age:18,18.0", UsageError, r"the edges of bins must ascend"),
        ("sex,age:18,sex", UsageError, r"names the column 'sex' twice"),
        (",", UsageError, r"--group-column: names no column"),
        ("sex:1", FacepartError, r"people.csv: line 2: sex 'female' is not a number; correct it, or leave it empty"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, column: str, kind: type[FacepartError], reason: str) -> None:
    with pytest.raises(FacepartError, match=reason) as caught:
        people(tmp_path, column)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_a_cell_that_is_no_number_is_named_by_its_line(tmp_path: Path) -> None:
    table = 'subject,note,age\n\n001,"two\nlines",20\n002,,2_0\n'
    with pytest.raises(FacepartError, match=r"line 5: age '2_0' is not a number"):
        people(tmp_path, "age:18", table)


def test_two_groups_never_have_one_name(tmp_path: Path) -> None:
    table = "subject,one,two\n1,a_b,c\n2,a,b_c\n"
    with pytest.raises(
        FacepartError, match=r"'a_b' x 'c' and 'a' x 'b_c' would both be called 'a_b_c': rename a value"
    ):
        people(tmp_path, "one,two", table)
    found = people(tmp_path, "one,two", "subject,one,two\n1,a,B\n2,A,b\n")
    rule, _ = photo_rules(["1_1", "2_1"], naming_rule("MORPH"), None)
    with pytest.raises(UsageError, match="groups 'A_b' and 'a_B' differ by case or blanks alone"):
        assign_groups(["1_1", "2_1"], found, rule, [])


def test_many_numbers_without_bins_are_refused_unless_groups_are_named(tmp_path: Path) -> None:
    table = "subject,age\n" + "".join(f"{number:03},{number % 21 + 20}\n" for number in range(60)) + "099,NA\n"
    found = people(tmp_path, "age", table)
    names = [f"{number:03}_{photo}" for number in range(60) for photo in "ab"]
    rule, _ = photo_rules(names, naming_rule("MORPH"), None)
    with pytest.raises(
        FacepartError, match=r"'age' has more than 20 different numbers.* --group-column age:18,30,45,60"
    ):
        assign_groups(names, found, rule, [])
    assert assign_groups(names, found, rule, ["20", "21"]).subjects == {"20": 3, "21": 3}
    assert not people(tmp_path, "age:30", table).unbinned
    assert not people(tmp_path, "age", table.replace(",40", ",39")).unbinned


def assigned(tmp_path: Path, column: str, table: str = TABLE) -> Members:
    found = people(tmp_path, column, table)
    names = [f"00{number}_{photo}" for number in range(1, 8) for photo in "ab"]
    rule, _ = photo_rules(names, naming_rule("MORPH"), None)
    return assign_groups(names, found, rule, [])


def test_small_groups_are_left_out_and_named(tmp_path: Path) -> None:
    members = assigned(tmp_path, "sex,ethnicity")
    kept = members.without_small(tmp_path / "people.csv", 2)
    assert kept.subjects == {"female_asian": 2, "male_white": 2}
    assert list(kept.groups) == list(kept.subjects)
    assert kept.small == {"female_white": 1, "male_asian": 1}
    assert kept.without_group == ["006"]
    reason = r"no group has 3 subjects with photos; its groups \(subjects\): female_asian \(2\), .*wider bins"
    with pytest.raises(FacepartError, match=reason):
        members.without_small(tmp_path / "people.csv", 3)
    kept.refuse_without_threshold_group("male_white")
    with pytest.raises(FacepartError, match="--threshold-group male_asian: too few subjects"):
        kept.refuse_without_threshold_group("male_asian")


def test_a_subject_may_be_in_two_bins_by_its_photos(tmp_path: Path) -> None:
    table = "image,age\n001_a,17\n001_b,30\n002_a,18\n002_b,19\n003_a,17.5\n"
    members = assigned(tmp_path, "age:18", table)
    assert members.groups == {"age_under_18": ["001_a", "003_a"], "age_18_or_more": ["001_b", "002_a", "002_b"]}
    assert members.subjects == {"age_under_18": 2, "age_18_or_more": 2}


def test_match_and_lists_cross_columns_and_leave_small_groups_out(tmp_path: Path, run: Run) -> None:
    people(tmp_path, "sex")
    source = listed(tmp_path / "f", [f"00{number}_{photo}" for number in range(1, 8) for photo in (1, 2)])
    command = ("-m", "facepart", "match", "-p", source, "--people", tmp_path / "people.csv", "-d", "MORPH")
    done = run(*command, "--group-column", "sex", "ethnicity", "-o", tmp_path / "out")
    assert done.returncode == 0
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["female_asian", "male_white"]
    assert "left out 2 groups of fewer than 2 subjects: female_white (1), male_asian (1)\n" in done.stderr
    assert (tmp_path / "out" / "female_asian_scores.npz").exists()
    named = run(*command, "--group-column", "sex,ethnicity", "-gr", "male_asian", "-o", tmp_path / "named")
    assert named.returncode == 1
    assert "of group 'male_asian' show one subject" in named.stderr
    words = (
        "lists",
        "-s",
        tmp_path / "f",
        "--people",
        tmp_path / "people.csv",
        "-d",
        "MORPH",
        "-o",
        tmp_path / "l.txt",
    )
    listing = run("-m", "facepart", *words, "--group-column", "age:18,30", "--group", "age_18-29")
    assert listing.returncode == 0
    assert "listed 4 of 14 embeddings (2 subjects of group age_18-29)" in listing.stdout
