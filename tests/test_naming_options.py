"""The commands that read subjects off names: the table of naming conventions in their help, and unknown data sets."""

import re
from pathlib import Path

import pytest

from facepart.data.naming_conventions import DATASETS, find_exclusion, naming_table
from facepart.occlusion.parts import parts_table
from tests.conftest import ROOT, Run

COMMANDS = {
    "match": ("./face_matching/", "-p", "x.txt"),
    "study": ("-m", "facepart", "study"),
    "lists": ("./lists/",),
    "demo": ("-m", "facepart", "demo"),
}
PARTS_TITLE = """\
parts and the label-map classes they comprise (left and right: the person's;
parsers confuse them, so left_eye is every eye pixel, of either class, on the
left side of the face):"""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_ends_with_the_tables(command: str, run: Run) -> None:
    done = run(*COMMANDS[command], "-h", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    text, title, table = done.stdout.partition("naming conventions for -d")
    assert title
    after = f"\n{PARTS_TITLE}\n{parts_table()}\n" if command in ("study", "demo") else ""
    assert table.split("\n", 1)[1] == f"{naming_table()}\n{after}"
    assert max(map(len, text.splitlines())) <= 80
    assert ("--exclude-same REGEX" in text) == (command in ("match", "study"))


def call_of(command: str, folder: Path) -> tuple[str | Path, ...]:
    arguments = {
        "match": ("-p", folder / "f.txt", "-gr", "CM"),
        "study": ("-s", folder),
        "lists": ("-s", folder),
        "demo": ("--images", folder),
    }
    return (*COMMANDS[command][: 1 if command in ("match", "lists") else 3], *arguments[command])


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_data_set_is_refused_with_the_table(command: str, tmp_path: Path, run: Run) -> None:
    done = run(*call_of(command, tmp_path), "-o", tmp_path / "out", "-d", "MORF")
    assert (done.returncode, done.stdout) == (2, "")
    first, _, table = done.stderr.partition("\n")
    assert (
        first
        == "facepart: unknown data set 'MORF' (did you mean MORPH?); give one of these with -d, or --subject-pattern:"
    )
    assert table == naming_table() + "\n"
    assert not (tmp_path / "out").exists()


def test_the_documentation_has_the_same_table_and_its_patterns_work() -> None:
    text = (ROOT / "face_matching" / "README.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \| `(.+?)` \|", text, re.MULTILINE)
    assert rows == [(name, each.example, each.shows) for name, each in DATASETS.items()]
    patterns = re.findall(r"^--exclude-same '(.+?)' ", text, re.MULTILINE)
    labels = ["cam1/0012_20080312_7", "cam1/0012_7", "cam1/0012_s3_001"]
    sessions = []
    for pattern, label in zip(patterns, labels, strict=True):
        exclusion = find_exclusion("MORPH", None, pattern)
        assert exclusion is not None
        sessions.append(exclusion.session(label))
    assert sessions == ["20080312", "cam1", "3"]
