"""Photo names -> subjects and sessions: the naming conventions of the data sets.

A rule takes a label, ``folder/stem`` (the photo's folder and its name without extension; see
:mod:`facepart.data.labels`), and gives the subject, normalised to NFC. Some
names also tell the session, such as the day. Authentic pairs of one session are then left out: they share more than
the face (light, clothes, hair).

The rules of MORPH, CHIYA, CHIYA_VAL, PUBLIC_IVS, VGGFACE2, ASIANCELEB and ND_GENDERS_V3 are those of the original
study (github.com/abhatta1234/computerVisionI) and of github.com/vitoralbiero/face_matching, from which it comes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from facepart.data.image_names import without_extension
from facepart.data.labels import nfc
from facepart.data.pattern_search import search
from facepart.errors import FacepartError, UsageError
from facepart.suggestion import did_you_mean

Rule = Callable[[str], str]


class DataSet(NamedTuple):
    """How the photos of a data set are named. A rule gives "" for a label that it does not fit.

    Attributes:
        subject: label -> subject.
        example: a label, or a name alone where the folder does not matter.
        shows: the subject of the example.
        reads: what the subject is, in words.
        note: what else there is to know.
        by_folder: whether the subject is the photo's folder.
        session: label -> session; None if authentic pairs of one session are compared, too.
        session_name: what a session is, e.g. ``day``.
    """

    subject: Rule
    example: str
    shows: str
    reads: str
    note: str = ""
    by_folder: bool = False
    session: Rule | None = None
    session_name: str = ""


@dataclass(frozen=True)
class CheckedRule:
    """A rule that refuses labels from which it reads nothing.

    Attributes:
        read: the rule.
        reason: what is wrong with such a label; the message is the label, followed by this.
        with_extension: whether the rule reads the extension of an image, too, where a label has kept it.
    """

    read: Rule
    reason: str
    with_extension: bool = True

    def __call__(self, label: str) -> str:
        """Read something from a label; FacepartError if it is empty."""
        found = self.read(nfc(label if self.with_extension else without_extension(label)))
        if not found:
            raise FacepartError(f"{label}: {self.reason}")
        return found


@dataclass(frozen=True)
class Exclusion:
    """Which authentic pairs are left out: those of equal sessions.

    Attributes:
        session: label -> session; FacepartError for a label that has none.
        words: which pairs these are, in words that follow "authentic pairs".
    """

    session: Rule
    words: str


def split_label(label: str) -> tuple[str, str]:
    """Split a label into folder and stem; the folder is empty where the label has none."""
    folder, _, stem = label.rpartition("/")
    return folder, stem


def _fields(label: str) -> list[str]:
    """Return the fields of the name, which are parted by ``_``."""
    return split_label(label)[1].split("_")


def _first_field(label: str) -> str:
    return _fields(label)[0]


def _folder(label: str) -> str:
    return split_label(label)[0].rpartition("/")[2]


def _chiya(label: str) -> str:
    return split_label(label)[1][:-1]


def _chiya_val(label: str) -> str:
    stem, folder = split_label(label)[1], _folder(label)
    if len(stem) < 4:
        return ""  # the folder would be cut into
    subject = (f"{folder}/{stem}" if folder else stem)[1:-4]
    return subject if subject.strip("/") else ""


def _agedb(label: str) -> str:
    # The second field. A name that itself has _ in it goes on up to the age, the first number.
    fields = _fields(label)[1:]
    end = next((place for place, field in enumerate(fields) if place and field.isdigit()), 1)
    return "_".join(fields[:end])


def _vggface2(label: str) -> str:
    # In the data set a folder a subject, n000001/0001_01; flattened copies put the folder into the file name.
    folder = _folder(label)
    flattened = re.match(r"n\d{6}(?=_)", split_label(label)[1])
    return flattened.group() if flattened and not re.fullmatch(r"n\d{6}", folder) else folder


def _lfw(label: str) -> str:
    name, _, number = split_label(label)[1].rpartition("_")
    return name if name and number.isdigit() else _folder(label)


def _fifth_field(label: str) -> str:
    fields = _fields(label)
    return fields[4] if len(fields) > 4 else ""


DATASETS = {
    "MORPH": DataSet(_first_field, "001234_00M30", "001234", "name up to the first _"),
    "CHIYA": DataSet(_chiya, "0012a", "0012", "all but the last character"),
    "CHIYA_VAL": DataSet(
        *(_chiya_val, "C0012/0012_007", "0012/0012", "folder/name"),
        note="less its first character (C) and its last four (_007)",
    ),
    "AGEDB": DataSet(_agedb, "17_MariaCallas_35_f", "MariaCallas", "second field of the name"),
    "PUBLIC_IVS": DataSet(_folder, "0012/photo_7", "0012", "folder", by_folder=True),
    "VGGFACE2": DataSet(
        *(_vggface2, "n000012/0007_01", "n000012", "folder"),
        note="or, without such a folder, the name up to the first _",
        by_folder=True,
    ),
    "ASIANCELEB": DataSet(_folder, "0012/7", "0012", "folder", by_folder=True),
    "ND_GENDERS_V3": DataSet(
        *(_first_field, "04201_f_c_1_20080312_7", "04201", "name up to the first _"),
        note="authentic pairs from the same day, the fifth field, are left out",
        session=_fifth_field,
        session_name="day",
    ),
    "LFW": DataSet(
        _lfw,
        "George_W_Bush_0001",
        "George_W_Bush",
        "name before its number",
        note="or the folder, if the name has no number",
    ),
    "FOLDER": DataSet(_folder, "alice/photo", "alice", "folder", by_folder=True),
}


def naming_table() -> str:
    """Return the naming conventions as a table of text, with an example of each; its lines begin with two blanks."""
    rows = [
        ("name", "folder/name, or name", "subject", "read from"),
        *((name, *each[1:4]) for name, each in DATASETS.items()),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = []
    for row in rows:
        lines.append("  ".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))
        if row[0] in DATASETS and DATASETS[row[0]].note:
            lines.append(" " * (widths[0] + 4) + DATASETS[row[0]].note)
    return "\n".join(lines)


def check_naming(dataset: str | None, subject_pattern: str | None, exclude_same: str | None = None) -> None:
    """Refuse wrong options of naming before there are names to be read; those that are not given are right.

    Raises:
        UsageError: the data set is not known, or a pattern is no regular expression.
    """
    if dataset is not None or subject_pattern is not None:
        naming_rule(dataset, subject_pattern)
    find_exclusion(dataset, subject_pattern, exclude_same)


def naming_rule(dataset: str | None, pattern: str | None = None) -> Rule:
    """Return the rule that reads the subject from a label.

    Args:
        dataset: a key of :data:`DATASETS`, in any case; ignored if there is a `pattern`.
        pattern: a regular expression searched for in the label ``folder/stem``; the subject is its group named
            ``subject``, else its first group, else all that it matched.

    Raises:
        UsageError: the data set is not known, or the pattern is no regular expression. The rule itself raises
            FacepartError for a label that it does not fit, or that gives an empty subject.
    """
    read: Rule
    if pattern is not None:
        read, by = _Pattern(pattern, "--subject-pattern", "subject"), f"--subject-pattern '{pattern}'"
    else:
        name, found = _find_dataset(dataset or "")
        read, by = found.subject, f"-d {name} ({found.reads}, as in {found.example})"
    reason = f"no subject can be read from this name by {by}; try another -d or --subject-pattern"
    return CheckedRule(read, reason, with_extension=pattern is not None)


def find_exclusion(dataset: str | None, subject_pattern: str | None, exclude_same: str | None) -> Exclusion | None:
    """Find out which authentic pairs are left out; None if none are.

    Args:
        dataset: a key of :data:`DATASETS`, in any case; ignored if there is a pattern of either kind; None for one
            without sessions.
        subject_pattern: given instead of a data set; its rule for sessions does not hold then.
        exclude_same: a regular expression searched for in the label ``folder/stem``, instead of the data set's rule
            for sessions; the session is its first group if it has groups, else all that it matched.

    Raises:
        UsageError: the data set is not known, or the expression is none. The exclusion's rule raises FacepartError
            for a label without a match, or with an empty one.
    """
    if exclude_same is not None:
        reason = f"--exclude-same '{exclude_same}' matches an empty text in it; give one that matches some text"
        rule = CheckedRule(_Pattern(exclude_same, "--exclude-same"), reason)
        return Exclusion(rule, f"with equal matches of '{exclude_same}'")
    if subject_pattern is not None or dataset is None:
        return None
    name, found = _find_dataset(dataset)
    if found.session is None:
        return None
    words = f"of the same {found.session_name}"
    reason = (
        f"no {found.session_name} can be read from this name by -d {name} (as in {found.example}), which leaves out "
        f"authentic pairs {words}; try another -d or --exclude-same"
    )
    return Exclusion(CheckedRule(found.session, reason), words)


def _find_dataset(dataset: str) -> tuple[str, DataSet]:
    name = dataset.upper()
    if name not in DATASETS:
        near = did_you_mean(name, DATASETS)
        raise UsageError(
            f"unknown data set {dataset!r}{near}; give one of these with -d, or --subject-pattern:\n{naming_table()}"
        )
    return name, DATASETS[name]


class _Pattern:
    """A regular expression as a rule."""

    def __init__(self, pattern: str, option: str, group: str = "") -> None:
        """Compile a pattern.

        Args:
            pattern: a regular expression.
            option: where it was given, for messages.
            group: the name of a group that is read rather than the first.
        """
        self._named = f"{option} '{pattern}'"
        if not pattern:
            raise UsageError(f"{self._named} is empty, and matches nothing in any name")
        try:
            self._compiled = re.compile(nfc(pattern))
        except (re.error, ArithmeticError, RecursionError, ValueError) as error:
            raise UsageError(f"{self._named} is not a regular expression: {error}") from error
        first = 1 if self._compiled.groups else 0
        self._group = self._compiled.groupindex.get(group, first)

    def __call__(self, label: str) -> str:
        """Return the group that is read: the one so named, else the first one, else all that matches."""
        found = search(self._compiled, label, self._named)
        if found is None:
            raise FacepartError(f"{label}: does not match {self._named}")
        return found.group(self._group) or ""
