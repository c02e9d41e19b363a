"""Who is on a photo: the naming rules of the data sets.

A rule takes a label, ``folder/stem`` (the photo's folder and its name without extension), and gives the subject.
"""

import re
from collections.abc import Callable

from facepart.errors import FacepartError, UsageError

Rule = Callable[[str], str]


def split_label(label: str) -> tuple[str, str]:
    """Split a label into folder and stem; the folder is empty where the label has none."""
    folder, _, stem = label.rpartition("/")
    return folder, stem


def _morph(label: str) -> str:
    return split_label(label)[1].split("_")[0]


def _lfw(label: str) -> str:
    folder, stem = split_label(label)
    name, _, number = stem.rpartition("_")
    return name if name and number.isdigit() else folder.rpartition("/")[2]


def _folder(label: str) -> str:
    return split_label(label)[0].rpartition("/")[2]


def _agedb(label: str) -> str:
    fields = split_label(label)[1].split("_")
    if len(fields) < 4:
        raise FacepartError(f"{label}: is not named as in AGEDB (<number>_<name>_<age>_<sex>)")
    return "_".join(fields[1:-2])


def _vggface2(label: str) -> str:
    # In the data set a folder a subject, n000001/0001_01; flattened copies put the folder into the file name.
    for field in (_folder(label), split_label(label)[1]):
        found = re.match(r"n\d{6}", field)
        if found:
            return found.group()
    raise FacepartError(f"{label}: is not named as in VGGFACE2 (n<six digits>/<photo>_<face>)")


# Name of the data set -> rule, and what the rule reads.
DATASETS: dict[str, tuple[Rule, str]] = {
    "MORPH": (_morph, "<subject>_<photo><sex><age>: the name up to the first _"),
    "LFW": (_lfw, "Name_Surname_0001: the name without the number, else the folder"),
    "FOLDER": (_folder, "the parent folder"),
    "AGEDB": (_agedb, "<number>_<name>_<age>_<sex>: the name"),
    "VGGFACE2": (_vggface2, "n000001/0001_01: the folder"),
}


DEFAULT_DATASET = "MORPH"


def naming_rule(dataset: str, pattern: str | None = None) -> Rule:
    """Give the rule that reads the subject off a label.

    Args:
        dataset: a key of :data:`DATASETS`, in any case; ignored if there is a `pattern`.
        pattern: a regular expression searched for in the label ``folder/stem``; the subject is its group named
            ``subject``, else its first group, else all that it matched.

    Raises:
        UsageError: the data set is not known, or the pattern is no regular expression. The rule itself raises
            FacepartError for a label that it does not fit, or that gives an empty subject.
    """
    if pattern is not None:
        rule = _pattern_rule(pattern)
    elif dataset.upper() in DATASETS:
        rule = DATASETS[dataset.upper()][0]
    else:
        known = "; ".join(f"{name} ({reads})" for name, (_, reads) in DATASETS.items())
        raise UsageError(f"unknown data set {dataset!r}; known: {known}; or give --subject-pattern")

    def checked(label: str) -> str:
        subject = rule(label)
        if not subject:
            raise FacepartError(f"{label}: no subject can be read off this name; try another -d or --subject-pattern")
        return subject

    return checked


def _pattern_rule(pattern: str) -> Rule:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--subject-pattern {pattern!r} is not a regular expression: {error}") from error

    def rule(label: str) -> str:
        found = compiled.search(label)
        if found is None:
            raise FacepartError(f"{label}: does not match --subject-pattern {pattern!r}")
        if "subject" in compiled.groupindex:
            return found.group("subject") or ""
        return (found.group(1) if compiled.groups else found.group()) or ""

    return rule
