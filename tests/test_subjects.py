"""Naming rules: who is on a photo, and which authentic pairs are left out."""

import pytest

from facepart.data.naming_conventions import DATASETS, find_exclusion, naming_rule, naming_table
from facepart.errors import FacepartError, UsageError


@pytest.mark.parametrize(
    ("dataset", "label", "subject"),
    [
        ("MORPH", "features/001234_00M30", "001234"),
        ("morph", "a/plain", "plain"),
        ("CHIYA", "any/0012a", "0012"),
        ("CHIYA", "any/S_7_b", "S_7_"),
        ("CHIYA", "alone", "alon"),
        ("CHIYA_VAL", "C0012/0012_007", "0012/0012"),
        ("CHIYA_VAL", "up/C0012/0012_007", "0012/0012"),
        ("CHIYA_VAL", "C0012/_007", "0012/"),
        ("CHIYA_VAL", "C0012_007", "0012"),
        ("AGEDB", "x/0_MariaCallas_35_f", "MariaCallas"),
        ("AGEDB", "x/17_Maria_de_Medeiros_35_f", "Maria_de_Medeiros"),
        ("AGEDB", "x/0_MariaCallas_35_f_copy", "MariaCallas"),
        ("AGEDB", "x/0_MariaCallas", "MariaCallas"),
        ("AGEDB", "x/0_MariaCallas_copy", "MariaCallas"),
        ("PUBLIC_IVS", "0012/photo_7", "0012"),
        ("PUBLIC_IVS", "up/0012/photo_7", "0012"),
        ("VGGFACE2", "n000001/0001_01", "n000001"),
        ("VGGFACE2", "flat/n000002_0001_01", "n000002"),
        ("VGGFACE2", "n000001/n000002_0001_01", "n000001"),
        ("VGGFACE2", "renamed/0001_01", "renamed"),
        ("ASIANCELEB", "12/7", "12"),
        ("ASIANCELEB", "0_12/7", "0_12"),
        ("ND_GENDERS_V3", "any/04201_f_c_1_20080312_7", "04201"),
        ("nd_genders_v3", "any/04201", "04201"),
        ("LFW", "any/George_W_Bush_0001", "George_W_Bush"),
        ("LFW", "Aaron_Eckhart/face", "Aaron_Eckhart"),
        ("FOLDER", "n1/photo_3", "n1"),
    ],
)
def test_data_sets(dataset, label, subject):
    assert naming_rule(dataset)(label) == subject


@pytest.mark.parametrize(
    ("dataset", "label"),
    [
        ("MORPH", "x/_1"),
        ("CHIYA", "x/a"),
        ("CHIYA_VAL", "folder/abc"),
        ("CHIYA_VAL", "x/abcd"),
        ("CHIYA_VAL", "abcde"),
        ("AGEDB", "x/photo"),
        ("AGEDB", "x/0_"),
        ("PUBLIC_IVS", "/photo"),
        ("VGGFACE2", "photo"),
        ("ASIANCELEB", "photo"),
        ("ND_GENDERS_V3", "x/_f_c_1_20080312_7"),
        ("LFW", "face"),
        ("FOLDER", "/photo"),
    ],
)
def test_a_name_of_another_kind_is_one_line(dataset, label):
    with pytest.raises(FacepartError) as caught:
        naming_rule(dataset)(label)
    each = DATASETS[dataset]
    assert str(caught.value) == (
        f"{label}: no subject can be read from this name by -d {dataset} ({each.reads}, as in {each.example}); "
        "try another -d or --subject-pattern"
    )


def test_the_table_has_a_true_example_of_each_data_set():
    names = ["MORPH", "CHIYA", "CHIYA_VAL", "AGEDB", "PUBLIC_IVS", "VGGFACE2", "ASIANCELEB", "ND_GENDERS_V3"]
    assert list(DATASETS) == [*names, "LFW", "FOLDER"]
    lines = [line.split() for line in naming_table().splitlines()]
    assert max(map(len, naming_table().splitlines())) <= 90
    rows = {cells[0]: cells[1:3] for cells in lines if cells[0] in DATASETS}
    assert list(rows) == list(DATASETS)
    for name, (example, subject) in rows.items():
        assert naming_rule(name)(example) == subject, name


@pytest.mark.parametrize(
    ("pattern", "subject"), [(r"id\d+", "id12"), (r"id(\d+)", "12"), (r"(x)/(?P<subject>id\d)", "id1")]
)
def test_a_pattern_gives_its_group_or_all_it_matched(pattern, subject):
    assert naming_rule("ignored", pattern)("x/id12_3") == subject


def test_names_that_a_pattern_does_not_match_are_reported():
    with pytest.raises(UsageError, match="--subject-pattern '\\(' is not a regular expression"):
        naming_rule("MORPH", "(")
    for pattern in ("q", "q?", "(q)?"):
        with pytest.raises(FacepartError, match=r"^x/photo: "):
            naming_rule("MORPH", pattern)("x/photo")


def test_an_unknown_data_set_is_refused_with_the_table():
    for call in (naming_rule, lambda name: find_exclusion(name, None, None)):
        with pytest.raises(UsageError) as caught:
            call("MORF")
        first, _, rest = str(caught.value).partition("\n")
        assert (
            first == "unknown data set 'MORF' (did you mean MORPH?); give one of these with -d, or --subject-pattern:"
        )
        assert rest == naming_table()


@pytest.mark.parametrize(
    ("dataset", "subject_pattern", "exclude_same", "session"),
    [
        ("MORPH", None, None, None),
        ("nd_genders_v3", None, None, "20080312"),
        ("ND_GENDERS_V3", "^[^/]*", None, None),  # a pattern is instead of the data set
        ("ND_GENDERS_V3", None, r"_[a-z]_", "_f_"),  # and this one instead of its day
        ("MORPH", None, r"\d{8}", "20080312"),
        ("MORPH", None, r"_(\d{4})\d{4}(_)", "2008"),
        ("MORPH", None, r"(\d{4})(?P<subject>\d{4})_", "2008"),
        ("MORPH", r"\d+", "^[^/]+", "cam1"),
        ("ignored", "x", "^[^/]+", "cam1"),
    ],
)
def test_what_authentic_pairs_are_left_out_by(dataset, subject_pattern, exclude_same, session):
    found = find_exclusion(dataset, subject_pattern, exclude_same)
    assert (found and found.session("cam1/04201_f_c_1_20080312_7")) == session


@pytest.mark.parametrize(
    ("exclude_same", "label", "reason"),
    [
        (None, "x/04201_f_c_1", "no day can be read from this name by -d ND_GENDERS_V3"),
        (None, "x/04201_f_c_1__7", "no day can be read"),
        (r"\d{8}", "x/04201_f_c_1", r"does not match --exclude-same '\d{8}'"),
        (r"day(\d)?", "x/1_day", "matches an empty text in it"),
        (r"\d*", "x/1_day", "matches an empty text in it"),
    ],
)
def test_a_name_without_a_session_is_one_line(exclude_same, label, reason):
    exclusion = find_exclusion("ND_GENDERS_V3", None, exclude_same)
    assert exclusion is not None
    with pytest.raises(FacepartError) as caught:
        exclusion.session(label)
    assert str(caught.value).startswith(f"{label}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_exclusion_that_is_not_a_regular_expression_is_refused():
    with pytest.raises(UsageError, match=r"^--exclude-same '\[' is not a regular expression: [^\n]*$"):
        find_exclusion("MORPH", None, "[")
