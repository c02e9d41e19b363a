"""Lists of pairs: the two forms, how the file shows which it is, and what is wrong with a line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.data import pair_list
from facepart.data.pair_list import PairList, read_pair_list
from facepart.errors import FacepartError

Pair = tuple[str, str, bool | None]


def read(tmp_path: Path, text: str) -> PairList:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    return read_pair_list(path)


def pairs_of(found: PairList) -> list[Pair]:
    labels = [None] * len(found.lines) if found.authentic is None else found.authentic.tolist()
    return [
        (found.names[first], found.names[second], label)
        for first, second, label in zip(found.first, found.second, labels, strict=True)
    ]


ANNA_BOB = [("Anna/Anna_0001", "Anna/Anna_0012", True), ("Anna/Anna_0003", "Bob_C/Bob_C_0001", False)]


@pytest.mark.parametrize("sign", ["\t", " ", ","])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_form_of_lfw(tmp_path: Path, sign: str, ending: str) -> None:
    rows = [["Anna", "1", "12"], ["Anna", "3", "Bob_C", "1"]]
    text = ending.join(sign.join(row) for row in rows) + ending
    found = read(tmp_path, text)
    assert pairs_of(found) == ANNA_BOB
    assert found.folds is None
    assert found.subjects == ["Anna", "Anna", "Anna", "Bob_C"]
    assert found.lines.tolist() == [1, 2]
    # With its first line: a number alone gives the pairs of a file without folds.
    assert read(tmp_path, "1" + ending + text).folds is None
    assert pairs_of(read(tmp_path, "\ufeff1\n" + text)) == ANNA_BOB
    folded = read(tmp_path, sign.join(["2", "1"]) + ending + text + ending + "# more" + ending + text)
    assert folded.folds is not None
    assert folded.folds.tolist() == [1, 1, 2, 2]
    assert folded.lines.tolist() == [2, 3, 6, 7]
    assert pairs_of(folded) == ANNA_BOB * 2


def test_the_form_of_lfw_with_a_heading(tmp_path: Path) -> None:
    assert pairs_of(read(tmp_path, "name,imagenum1,imagenum2,\nAnna,1,12,\nAnna,3,Bob_C,1\n")) == ANNA_BOB


@pytest.mark.parametrize("heading", ["", "probe,gallery,label\n", "photo1,photo2,same\n"])
def test_a_table_with_labels(tmp_path: Path, heading: str) -> None:
    text = f"{heading}a/1.jpg, b/1.jpg,1\n\na/1.jpg,c/2.png,different\nb/1,c/2,Same\nb/1,c/3,0\n"
    assert pairs_of(read(tmp_path, text)) == [
        ("a/1.jpg", "b/1.jpg", True),
        ("a/1.jpg", "c/2.png", False),
        ("b/1", "c/2", True),
        ("b/1", "c/3", False),
    ]


def test_a_table_without_labels(tmp_path: Path) -> None:
    assert pairs_of(read(tmp_path, "a b\nc d\n")) == [("a", "b", None), ("c", "d", None)]
    assert pairs_of(read(tmp_path, 'probe\tgallery\nA B/1\t"C\tD/2"\n')) == [("A B/1", "C\tD/2", None)]
    assert pairs_of(read(tmp_path, '"a,b",c\n')) == [("a,b", "c", None)]


def test_names_that_are_numbers_are_a_table_unless_the_third_is_no_label(tmp_path: Path) -> None:
    assert pairs_of(read(tmp_path, "0012 0013 1\n0012 0014 0\n")) == [("0012", "0013", True), ("0012", "0014", False)]
    assert pairs_of(read(tmp_path, "12 13\n12 14\n")) == [("12", "13", None), ("12", "14", None)]
    assert pairs_of(read(tmp_path, "12 13 4\n")) == [("12/12_0013", "12/12_0004", True)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the list of pairs is empty"),
        ("# nothing\n\n", "the list of pairs is empty"),
        ("probe,gallery\n", "a heading but no pairs"),
        ("a b\nc\n", "line 2 has 1 column, the lines before it 2"),
        ("a b\n\nc d e\n", "line 3 has 3 columns, the lines before it 2"),
        ("a,b\nc,\n", "line 2 has 1 column, the lines before it 2"),
        ("a,b\n,d\n", "line 2 names one photo, not two"),
        ("a b c d e\n", r"line 1 has 5 columns, not 2 \(two photos\) or 3 \(and a label\)"),
        ("a b 1\nc d maybe\n", r"line 2: 'maybe' is no label \(1 or 0, same or different\)"),
        ("A 1 4\nB 2 C 3\nA 1\n", r"line 3 has 2 columns, not 3 \(name n1 n2\) or 4"),
        ("A 1 4\nB 2 C 3\nA 1 x\n", "line 3: 'x' is not the number of a photo"),
        ("A 1 4\nB 2 C 3\nA y B 1\n", "line 3: 'y' is not the number of a photo"),
        ("2 1\nA 1 4\nB 2 C 3\nA 1 5\n", "line 1 says 1 authentic and 1 impostor pairs in each of 2 folds, 4 in all"),
        ("1\nA 1 4\nA 2 3\n", "line 1 says 1 authentic and 1 impostor pairs, but lines 2 to 3 have 2 authentic"),
        ("2 1\nA 1 4\nB 2 C 3\n\nA 1 5\nA 1 6\n", "folds, but lines 5 to 6 have 2 authentic"),
        ("0 1\nA 1 4\nB 2 C 3\n", "there has to be at least one"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FacepartError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "pairs.txt"))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FacepartError, match="no such list of pairs"):
        read_pair_list(tmp_path / "none.txt")
    with pytest.raises(FacepartError, match="cannot be read"):
        read_pair_list(tmp_path)
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\xff\xfe")
    with pytest.raises(FacepartError, match="not a text file"):
        read_pair_list(tmp_path / "x.npy")


@given(
    rows=st.lists(st.tuples(*[st.text("abc_/.", min_size=1)] * 2, st.booleans()), min_size=1, max_size=12),
    size=st.integers(1, 5),
    sign=st.sampled_from(",\t "),
)
def test_the_size_of_a_block_and_the_separator_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, bool]], size: int, sign: str
) -> None:
    text = "".join(f"{sign.join([first, second, str(int(same))])}\n\n" for first, second, same in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_list, "_LINES", size)
        found = read(tmp_path_factory.mktemp("pairs"), text)
    assert pairs_of(found) == rows
    assert np.array_equal(found.lines, 2 * np.arange(len(rows)) + 1)


def test_the_pairs_of_lfw(shared: Path) -> None:
    path = shared / "data" / "lfw" / "pairs.txt"
    found = read_pair_list(path)
    assert found.authentic is not None
    assert len(found.lines) == len(path.read_text().splitlines()) == 728
    assert found.authentic.sum() == 702
    assert all((shared / "data" / "lfw" / "images" / f"{name}.jpg").exists() for name in found.names)
