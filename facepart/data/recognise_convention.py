"""Names of photos -> the naming convention that they follow, for calls that do not say it.

Some data sets have names of a form of their own. Other names are read by every rule that could have made them. If all
of them divide the photos into the same subjects, the one that shares most subjects with a table is chosen:
`Ann_Smith_1` shows `Ann_Smith` if the table has such a row, and `Ann` if not. If they do not, a table of subjects may
decide, if it names the subjects of one rule alone, or all those of one rule. Otherwise the user has to say which one
is right: a wrong rule merges subjects, or splits them, without an error.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from facepart.data.image_names import without_extension
from facepart.data.labels import cut_labels, distinct_depth, nfc
from facepart.data.naming_conventions import DATASETS, split_label
from facepart.errors import UsageError

_NUMBERED = re.compile(r"(.+)_\d+")
_NAME = re.compile(r"([^\d_][^\d]*)_\d{4}")  # of LFW: a name without digits, and four of them

_OPTIONS = "say it with -d or --subject-pattern"


@dataclass(frozen=True)
class Convention:
    """The convention that names follow.

    Attributes:
        dataset: a key of :data:`facepart.data.naming_conventions.DATASETS`.
        photo: a photo of the source: its name or, if the folder is the subject, its label.
        subject: the subject of that photo.
    """

    dataset: str
    photo: str
    subject: str

    def sentence(self, extension: str = "") -> str:
        """Say which convention it is, and show an example.

        Args:
            extension: of the photo, such as ``.JPG``.
        """
        return f"subjects by the {self.dataset} convention: {self.photo}{extension} -> {self.subject}"


def recognise_convention(sides: Sequence[Sequence[str]], source: str, subjects: Collection[str] = ()) -> Convention:
    """Find out which naming convention photos follow.

    Args:
        sides: names of the photos (:func:`facepart.data.labels.names_below`), of one source each. A photo without a
            folder in its name lies beside the folders of others, which are then no subjects.
        source: where they are from, for messages.
        subjects: those that a table names.

    Raises:
        UsageError: no convention fits all names, or several do that do not agree about the subjects, and the table
            does not decide between them; or the subjects of the table are folders further up, which no convention
            reads.
    """
    labels = [cut_labels((nfc(without_extension(name)) for name in names), distinct_depth(names)) for names in sides]
    every = [label for side in labels for label in side]
    exact = [dataset for dataset, fits in _FORMS.items() if all(map(fits, every))]
    if len(exact) == 1 and (exact[0] != "LFW" or _agrees_with_folders(labels)):
        return _convention(exact[0], every[0])
    readings = _readings(labels, sides)
    if "-d FOLDER" in readings:
        # In folders of several subjects, names that would all be of one subject begin with a word such as IMG.
        readings = {option: found for option, found in readings.items() if len(set(found)) > 1}
    if not readings:
        raise UsageError(f"{source}: names such as {every[0]} do not tell who is in a photo: {_OPTIONS}")
    unlike = _unlike(readings)
    if len(unlike) > 1:
        whole = {option: found for option, found in readings.items() if set(found) <= set(subjects)}
        named = whole or {option: found for option, found in readings.items() if not set(found).isdisjoint(subjects)}
        if len(_unlike(named)) != 1:
            shown = " or ".join(unlike.values())
            raise UsageError(f"{source}: the subject of {every[0]} may be {shown}: {_OPTIONS}")
        readings = named
    # All of them find the same subjects, under different names; the table may have the names of one of them.
    option, found = max(readings.items(), key=lambda reading: len(set(reading[1]).intersection(subjects)))
    by = " by the table" if subjects else ""
    if not option.startswith("-d "):
        raise UsageError(f"{source}: the subject of {every[0]} is {found[0]!r}{by} ({option}): {_OPTIONS}")
    return _convention(option.removeprefix("-d "), every[0])


def _unlike(readings: Mapping[str, Sequence[str]]) -> dict[tuple[int, ...], str]:
    """Return the readings that divide the photos into other subjects: the division -> the first photo's subject."""
    unlike: dict[tuple[int, ...], str] = {}
    for option, subjects in readings.items():
        unlike.setdefault(tuple(_numbered(subjects)), f"{subjects[0]!r} ({option})")
    return unlike


def _convention(dataset: str, label: str) -> Convention:
    rules = DATASETS[dataset]
    subject = rules.subject(label)
    _, stem = split_label(label)
    alone = not rules.by_folder and rules.subject(stem) == subject
    return Convention(dataset, stem if alone else label, subject)


def _readings(labels: Sequence[Sequence[str]], sides: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Read the subjects by every rule that may have made the names: option -> subject of each photo."""
    every = [label for side in labels for label in side]
    found: dict[str, list[str]] = {}
    for dataset, fits in _MAY_BE.items():
        if all(map(fits, every)):
            found[f"-d {dataset}"] = [DATASETS[dataset].subject(label) for label in every]
    if any(map(_has_folders, sides)):
        found["-d FOLDER"] = [DATASETS["FOLDER"].subject(label) for label in every]
    # Folders in folders: those above may be the subjects.
    above = [[name.split("/")[0] for name in names] for names in sides]
    if any(len(set(side)) > 1 for side in above) and all(name.count("/") > 1 for names in sides for name in names):
        found["another folder, with --subject-pattern"] = [nfc(folder) for side in above for folder in side]
    return found


def _has_folders(names: Sequence[str]) -> bool:
    """Return whether photos are in several folders, one beside the other: one in another is not a subject's."""
    folders = sorted({f"/{split_label(name)[0]}/".replace("//", "/") for name in names})
    return len(folders) > 1 and not any(other.startswith(one) for one, other in pairwise(folders))


def _numbered(subjects: Sequence[str]) -> list[int]:
    """Return which photos are of one subject, whatever it is called."""
    known: dict[str, int] = {}
    return [known.setdefault(subject, len(known)) for subject in subjects]


def _agrees_with_folders(labels: Sequence[Sequence[str]]) -> bool:
    """Return whether names before a number say the same as folders, or all photos of a side are in one folder."""
    for side in labels:
        folders = [split_label(label)[0] for label in side]
        subjects = [DATASETS["LFW"].subject(label) for label in side]
        if len(set(folders)) > 1 and _numbered(folders) != _numbered(subjects):
            return False
    return True


def _form(pattern: str) -> Callable[[str], object]:
    return re.compile(rf"(?:.*/)?{pattern}").fullmatch


def _is_lfw(label: str) -> bool:
    folder, stem = split_label(label)
    found = _NAME.fullmatch(stem)
    if found is None:
        return False
    last = str(found[1]).rpartition("_")[2]
    named = found[1][0].isalpha() and not found[1][0].islower() and not last.islower()
    return named or folder.rpartition("/")[2] == found[1]


def _has_fields(label: str) -> bool:
    return "_" in split_label(label)[1][1:] and not split_label(label)[1].startswith("_")


def _is_numbered(label: str) -> bool:
    return _NUMBERED.fullmatch(split_label(label)[1]) is not None


# Forms that no other data set has.
_FORMS: dict[str, Callable[[str], object]] = {
    "ND_GENDERS_V3": _form(r"[^_/]+_[mfMF]_[^_/]+_[^_/]+_\d{8}_[^/]+"),
    "AGEDB": _form(r"\d+_[^\d_/][^_/]*(?:_[^\d_/][^_/]*)*_\d+_[mfMF]"),
    "VGGFACE2": _form(r"n\d{6}[/_]\d{4}_\d{2}"),
    "MORPH": _form(r"\d+_\d+[MFmf]\d+[^/]*"),
    "LFW": _is_lfw,
}
# Rules that may have made a name, those first that are named if they agree.
_MAY_BE: dict[str, Callable[[str], object]] = {
    "MORPH": _has_fields,
    "LFW": _is_numbered,
    "CHIYA": _form(r"\d+[A-Za-z]"),
}
