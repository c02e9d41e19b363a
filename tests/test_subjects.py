"""Naming rules: who is on a photo."""

import pytest

from facepart.data.naming import naming_rule
from facepart.errors import FacepartError, UsageError


@pytest.mark.parametrize(
    ("dataset", "label", "subject"),
    [
        ("MORPH", "features/001234_00M30", "001234"),
        ("morph", "a/plain", "plain"),
        ("LFW", "any/George_W_Bush_0001", "George_W_Bush"),
        ("LFW", "Aaron_Eckhart/face", "Aaron_Eckhart"),
        ("FOLDER", "n1/photo_3", "n1"),
        ("AGEDB", "x/0_MariaCallas_35_f", "MariaCallas"),
        ("AGEDB", "x/17_Maria_de_Medeiros_35_f", "Maria_de_Medeiros"),
        ("VGGFACE2", "n000001/0001_01", "n000001"),
        ("VGGFACE2", "flat/n000002_0001_01", "n000002"),
    ],
)
def test_data_sets(dataset, label, subject):
    assert naming_rule(dataset)(label) == subject


@pytest.mark.parametrize(
    ("pattern", "subject"), [(r"id\d+", "id12"), (r"id(\d+)", "12"), (r"(x)/(?P<subject>id\d)", "id1")]
)
def test_a_pattern_gives_its_group_or_all_it_matched(pattern, subject):
    assert naming_rule("ignored", pattern)("x/id12_3") == subject


def test_what_does_not_fit_is_told():
    with pytest.raises(UsageError, match=r"unknown data set 'MORF'; known: MORPH .*LFW.*FOLDER.*AGEDB.*VGGFACE2"):
        naming_rule("MORF")
    with pytest.raises(UsageError, match="not a regular expression"):
        naming_rule("MORPH", "(")
    for dataset, pattern, label in [
        ("AGEDB", None, "x/photo"),
        ("VGGFACE2", None, "x/photo"),
        ("MORPH", None, "x/_1"),
        ("FOLDER", None, "/photo"),
        ("MORPH", "q", "x/photo"),
        ("MORPH", "q?", "x/photo"),
    ]:
        with pytest.raises(FacepartError, match=label):
            naming_rule(dataset, pattern)(label)
