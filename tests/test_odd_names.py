"""Names that are odd, but legal, of photos, groups, tables and cells: each works, or is refused for a reason."""

import csv
import json
import os
import unicodedata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facepart.data.feature_files import find_features
from facepart.data.group_files import group_prefix, refuse_same_files
from facepart.data.image_names import without_extension
from facepart.data.labels import nfc
from facepart.data.naming_conventions import naming_rule
from facepart.data.path_lists import read_list, unlistable, write_list
from facepart.data.photos import find_photos
from facepart.data.subject_table import read_people
from facepart.errors import FacepartError, UsageError
from facepart.files.csv_text import csv_text, plain_cell, safe_cell
from facepart.files.failures import Failure, write_failures
from facepart.matching.features import read_features
from facepart.matching.match import match_features
from facepart.pipeline.parts_table import read_parts_table, write_parts_table
from facepart.scores.ranks import load_ranks, make_ranks, save_ranks
from facepart.study import Request, run_study
from tests.conftest import Run
from tests.small_network import save_small_network, save_small_parser
from tests.test_matching_features import write_features
from tests.test_matching_features import write_list as write_lines
from tests.test_subject_table import select_group

# Spaces and joiners that are no line breaks: as of screenshots of macOS, Japanese and Persian names, emoji.
SPACES = [
    "\u00a0",
    "\u1680",
    "\u2003",
    "\u2009",
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2028",
    "\u2029",
    "\u202f",
    "\u3000",
]
SPACES += ["\ufeff", "\x85", "\x0b", "\x0c", "\x1c", "\t", "\u202e", "\u00ad"]

Form = Literal["NFC", "NFD"]


@pytest.mark.parametrize("sign", SPACES)
def test_names_with_any_space_or_joiner_stand_in_lists_and_labels(tmp_path: Path, sign: str) -> None:
    names = [f"a{sign}b_1", f"a{sign}b_2", f"c{sign}_1", f"{sign}d_1"]
    for name in names:
        (tmp_path / f"{name}.png").touch()
    photos, failures = find_photos(tmp_path)
    assert (sorted(photo.name for photo in photos), failures) == (sorted(names), [])
    paths = write_features(tmp_path / "f", names)
    write_list(tmp_path / "list.txt", paths)
    assert read_list(tmp_path / "list.txt") == paths
    out = match_features(tmp_path / "list.txt", None, tmp_path / "out", "G", dataset="MORPH", ranks=True)
    assert (out.subjects, out.authentic, out.impostor) == (3, 1, 5)
    labels = [f"f/{name}" for name in sorted(names)]
    assert list(read_features(tmp_path / "list.txt").labels) == labels
    assert list(load_ranks(tmp_path / "out" / "G_ranks.csv").probes) == labels
    # A matrix reads the same labels; spaces at the end of a name are the name's.
    np.save(tmp_path / "features.npy", np.stack([np.load(path) for path in sorted(paths)]))
    (tmp_path / "labels.txt").write_text("".join(f"{label}\n" for label in labels), encoding="utf-8", newline="\n")
    assert list(read_features(tmp_path / "features.npy").labels) == labels


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\nb", "has a line break (U+000A), which ends a line in lists"),
        ("a\rb", "has a line break (U+000D), which ends a line in lists"),
        (os.fsdecode(b"caf\xe9"), "is not UTF-8 (byte 0xE9), which lists and tables are"),
        ("a b", ""),
        ("-rf", ""),
        ("~", ""),
        ("12:30", ""),
    ],
)
def test_what_no_list_can_hold_is_that_photos_failure_and_named(tmp_path: Path, name: str, reason: str) -> None:
    assert unlistable(name) == reason
    for each in (name, "other"):
        (tmp_path / f"{each}.png").touch()
    photos, failures = find_photos(tmp_path)
    assert [photo.name for photo in photos] == (["other"] if reason else sorted([name, "other"]))
    assert [failure.reason for failure in failures] == ([f"its name {reason}: rename it"] if reason else [])
    path = tmp_path / f"{name}.npy"
    if "line break" not in reason:  # lists of paths need not be UTF-8
        write_list(tmp_path / "list.txt", [path])
        assert read_list(tmp_path / "list.txt") == [path]
    else:
        with pytest.raises(FacepartError, match="this path has a line break") as caught:
            write_list(tmp_path / "list.txt", [path])
        assert "\n" not in str(caught.value)
        str(caught.value).encode()
        assert not (tmp_path / "list.txt").exists()


def test_a_folder_that_is_not_utf8_is_listed_and_read_again(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    paths = write_features(folder / "f", ["1_1", "1_2", "2_1"])
    done = run("./lists/", "-s", folder / "f", "-o", tmp_path / "l.txt")
    assert (done.returncode, done.stderr) == (0, "")
    assert read_list(tmp_path / "l.txt") == paths
    assert os.fsencode(folder) in (tmp_path / "l.txt").read_bytes()
    out = match_features(tmp_path / "l.txt", None, folder / "out", "G", dataset="MORPH")
    assert (out.authentic, out.impostor) == (1, 2)


def test_an_empty_path_is_refused_in_one_line(tmp_path: Path, run: Run) -> None:
    for words in (("lists", "-s", "", "-o", tmp_path / "l.txt"), ("extract", "-s", tmp_path, "-d", "")):
        done = run("-m", "facepart", *words)
        assert done.returncode != 0
        assert done.stderr == "facepart: a path is empty: is a variable of the shell not set?\n"


def test_a_folder_with_a_line_break_is_refused_before_any_work(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "a\nb"
    write_features(folder / "f", ["1_1"])
    done = run("./lists/", "-s", folder / "f", "-o", tmp_path / "l.txt")
    assert done.returncode == 1
    assert "this path has a line break (U+000A), which ends a line in lists: rename it" in done.stderr
    assert done.stderr.count("\n") == 1
    (folder / "p").mkdir()
    done = run("./face_matching/", "-s", folder / "p", "-d", folder / "out")
    assert done.returncode == 1
    assert "U+000A" in done.stderr
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a/001.jpg", "a/001"),
        ("001.JPEG", "001"),
        ("subject01.happy", "subject01.happy"),  # Yale: no extension, but an expression
        ("subject01.happy.gif", "subject01.happy"),
        ("J.Smith.neutral", "J.Smith.neutral"),
        ("v1.2_004.png", "v1.2_004"),
        ("a.jpg/b", "a.jpg/b"),
        (".jpg", ".jpg"),
        ("x.", "x."),
    ],
)
def test_only_extensions_of_images_are_left_out_of_names(name: str, stem: str) -> None:
    assert without_extension(name) == stem


YALE = [f"subject{subject:02}.{word}" for subject in (1, 2) for word in ("happy", "sad", "wink", "normal", "gif1")]


def test_photos_of_yale_are_all_found_in_lists_and_tables(tmp_path: Path) -> None:
    for name in YALE:
        (tmp_path / name).touch()
    photos, failures = find_photos(write_lines(tmp_path / "photos.txt", [tmp_path / name for name in YALE]))
    assert ([photo.name for photo in photos], failures) == (sorted(YALE), [])
    assert [photo.extension for photo in photos] == [""] * len(YALE)
    features = write_features(tmp_path / "f", YALE)
    for extension in ("", ".gif", ".JPG"):
        rows = "".join(f"{name}{extension},A\n" for name in YALE)
        (tmp_path / "people.csv").write_text(f"image,group\n{rows}")
        rule = naming_rule(None, r"(subject\d+)")
        found = select_group(features, tmp_path / "f", read_people(tmp_path / "people.csv"), "A", rule)
        assert (found.chosen, found.subjects, found.without_row) == (features, 2, [])


def test_a_photo_called_features_is_found_and_a_matrix_is_not(tmp_path: Path) -> None:
    write_features(tmp_path, ["features", "a/features", "a/1"])
    for folder in ("b", "c"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "features.npy", np.ones((3, 4), np.float32))
    assert [path.relative_to(tmp_path).as_posix() for path in find_features(tmp_path)] == [
        *("a/1.npy", "a/features.npy", "features.npy")
    ]
    # A damaged one is reported when it is read, not passed over.
    (tmp_path / "b" / "features.npy").write_bytes(b"\x93NUMPY\x01\x00")
    assert tmp_path / "b" / "features.npy" in find_features(tmp_path)


ODD_GROUPS = [
    "Asian/Pacific",
    "Hispanic / Latino",
    "N/A",
    ".",
    "..",
    ".hidden",
    "a:b",
    "a\\b",
    "a|b",
    "CON",
    "-x",
    "~",
]
ODD_GROUPS += [
    "A" * 300,
    "\u5c71" * 120,
    "CM_gallery",
    "Black, non-Hispanic",
    "=1+1",
    "100%",
    "caf\u00e9",
    "a\tb",
    "?",
]


def test_files_of_groups_are_safe_and_their_own() -> None:
    prefixes = [group_prefix(group) for group in ODD_GROUPS]
    assert len({prefix.casefold() for prefix in prefixes}) == len(ODD_GROUPS)
    for prefix in prefixes:
        name = f"{prefix}_gallery_labels.txt"
        assert len(name.encode()) <= 200
        assert not set(name) & set('/\\:*?"<>|\t\n')
        assert not name.startswith(".")
    for plain in ("CM", "African American", "Black, non-Hispanic", "\u5973", "CON", "a.b"):
        assert group_prefix(plain) == plain
    assert group_prefix("Asian/Pacific") == "Asian_Pacific-ba4cc455"
    # Those that become the same safe name, and one that is called as a safe name is.
    alike = {group_prefix(name) for name in ("a/b", "a:b", "a_b", "a?b", group_prefix("a/b"))}
    assert len(alike) == 5
    assert group_prefix(unicodedata.normalize("NFD", "caf\u00e9/1")) == group_prefix("caf\u00e9/1")


@given(st.lists(st.text(min_size=1, max_size=150).filter(str.strip), min_size=2, max_size=4, unique_by=nfc))
def test_no_two_groups_share_a_file(groups: list[str]) -> None:
    prefixes = [group_prefix(group) for group in groups]
    assert len({nfc(prefix) for prefix in prefixes}) == len(groups)
    assert all("/" not in prefix and "\0" not in prefix and len(prefix.encode()) < 200 for prefix in prefixes)


def test_groups_that_differ_by_case_alone_are_refused() -> None:
    refuse_same_files(["CM", "CF", "CM"])
    for pair in (["CM", "cm"], ["stra\u00dfe", "STRASSE"], ["a b", "a\u00a0 b"], ["a/b c", "a/B  c"]):
        with pytest.raises(UsageError, match="differ by case or blanks alone"):
            refuse_same_files(pair)
    for empty in ("", " ", "\u3000"):
        with pytest.raises(UsageError, match="a group needs a name"):
            group_prefix(empty)


def test_groups_of_a_table_with_any_name_are_matched(tmp_path: Path, run: Run) -> None:
    names = [f"{number:03}_{photo}" for number in range(8) for photo in (1, 2)]
    source = write_lines(tmp_path / "f.txt", write_features(tmp_path / "f", names))
    groups = ["Asian/Pacific", "Black, non-Hispanic", "..", "Hispanic / Latino"]
    with (tmp_path / "people.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("subject", "group"), *((f"{place:03}", groups[place // 2]) for place in range(8))]
        )
    command = ("./face_matching/", "-p", source, "--people", tmp_path / "people.csv", "-d", "MORPH", "-o")
    done = run(*command, tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(": compared ")[0] for line in done.stdout.splitlines()] == sorted(groups)
    for group in groups:
        assert (tmp_path / "out" / f"{group_prefix(group)}_scores.npz").exists()
        assert f"written to {tmp_path / 'out' / group_prefix(group)}_scores.npz" in done.stdout
        chosen = run(*command, tmp_path / "one", "-gr", group)
        assert (chosen.returncode, chosen.stdout.splitlines()[0].split(": compared ")[0]) == (0, group)
    for part in (("--group", "Black"), ("--group", "non-Hispanic")):
        missing = run(*command, tmp_path / "two", *part)
        assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)


def test_ranks_of_an_odd_group_are_drawn_by_the_rule_of_its_run(tmp_path: Path, run: Run) -> None:
    names = [f"{number}_{photo}_x{photo}" for number in range(4) for photo in (1, 2)]
    source = write_lines(tmp_path / "f.txt", write_features(tmp_path / "f", names))
    done = run("./face_matching/", "-p", source, "-gr", "N/A", "-d", "MORPH", "-o", tmp_path / "m")
    assert done.returncode == 0
    prefix = tmp_path / "m" / group_prefix("N/A")
    pairs = ("-a1", f"{prefix}_authentic.npy", "-i1", f"{prefix}_impostor.npy")
    drawn = run("./Plots/", "--kind", "cmc", *pairs, "-t", "T", "-d", tmp_path / "p", "-n", "x")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert "8 of 8 probes" in drawn.stdout


def test_tables_and_names_of_a_mac_and_a_keyboard_go_together(tmp_path: Path) -> None:
    people = ["Jos\u00e9", "Zo\u00eb"]
    forms: list[tuple[Form, Form]] = [("NFD", "NFC"), ("NFC", "NFD")]
    for form, other in forms:
        folder = tmp_path / form
        features = write_features(
            folder, [unicodedata.normalize(form, f"{who}_{n}") for who in people for n in (1, 2)]
        )
        table = "subject,group\n" + "".join(f"{who},Caf\u00e9\n" for who in people)
        (tmp_path / "people.csv").write_text(unicodedata.normalize(other, table), encoding="utf-8")
        found = read_people(tmp_path / "people.csv")
        group = unicodedata.normalize(form, "Caf\u00e9")
        selected = select_group(features, folder, found, group, naming_rule("MORPH"))
        assert (len(selected.chosen), selected.subjects, selected.without_row) == (4, 2, [])


def test_tables_in_other_words_with_quotes_commas_and_line_breaks(tmp_path: Path) -> None:
    table = '\ufeff\u540d\u524d,"name","Gru""ppe, alle"\r\nx,"O\'Neil, J.","weiblich\r\njung"\r\ny,Li,m\r\n'
    (tmp_path / "people.csv").write_bytes(table.encode())
    people = read_people(tmp_path / "people.csv", 'GRU"PPE, ALLE')
    assert people.by_subject == {"O'Neil, J.": "weiblich jung", "Li": "m"}


CELLS = ["=1+1", "+x", "-x/001", "@SUM(A1)", "\t=1", "\rx", "-", "'=1", "''@", "-1_2", "=-1", "+49 30"]
PLAIN = ["-0.25", "+1e-5", "1", ".5", "-inf", "'tis", "a=b", "", "''", "2-1"]


def test_cells_that_a_spreadsheet_would_run_are_text() -> None:
    assert [safe_cell(cell) for cell in CELLS] == [f"'{cell}" for cell in CELLS]
    assert [safe_cell(cell) for cell in PLAIN] == PLAIN
    assert csv_text([["=a", -0.5, "-0.5", None]]) == "'=a,-0.5,-0.5,\n"


@given(st.text(max_size=6) | st.text("'=+-@\t\r1.e", max_size=6))
def test_the_apostrophe_is_taken_off_again(cell: str) -> None:
    assert plain_cell(str(safe_cell(cell))) == cell or cell.startswith("'")
    if safe_cell(cell) != cell:
        assert plain_cell(str(safe_cell(cell))) == cell


def test_tables_of_our_own_are_read_as_they_were(tmp_path: Path) -> None:
    names = ["=x/1", "-y/2", "@z", "'=q", "plain"]
    table = {(name, "nose"): place for place, name in enumerate(names)}
    write_parts_table(tmp_path, table)
    assert "'=x/1," in (tmp_path / "parts.csv").read_text()
    assert read_parts_table(tmp_path) == table
    zeros = np.zeros(len(names))
    save_ranks(tmp_path / "r.csv", make_ranks(names, names, zeros.astype(np.int64), zeros - 1e6, zeros))
    assert "\n'=x/1,1,-1.000000," in (tmp_path / "r.csv").read_text()
    ranks = load_ranks(tmp_path / "r.csv")
    assert (list(ranks.probes), list(ranks.subjects), ranks.authentic.tolist()) == (names, names, [-1.0] * 5)
    write_failures(tmp_path, [Failure(Path("=x.png"), "read", "@reason")])
    assert (tmp_path / "failures.csv").read_text().splitlines()[1] == "'=x.png,read,'@reason"
    (tmp_path / "people.csv").write_text("image,group\n'=x/1.png,'-A\n")
    assert read_people(tmp_path / "people.csv").by_image == {"=x/1": "-A"}


def test_a_study_of_a_folder_that_is_not_utf8_and_of_a_photo_that_is_not_is_written_whole(
    tmp_path: Path,
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for name in ("1_1", "1_2", "2_1", "3_1"):
        Image.fromarray(np.random.default_rng(7).integers(0, 256, (64, 64, 3), np.uint8)).save(folder / f"{name}.png")
    (folder / os.fsdecode(b"4_\xe9.png")).write_bytes((folder / "1_1.png").read_bytes())
    parser = save_small_parser(tmp_path / "parser.onnx")
    recogniser = save_small_network(tmp_path / "recogniser.onnx")
    networks: dict[str, Any] = {"parser": str(parser), "models": [str(recogniser)], "device": "cpu"}
    run_study(Request(source=folder, output=tmp_path / "out", dataset="MORPH", parts=["nose"], **networks))
    assert json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert "4_\\udce9.png" in (tmp_path / "out" / "report.html").read_text("utf-8")
