"""Who belongs to which demographic group: a table of people or photos, as CSV with a header.

A column named image, photo or file says which photo a row is about; one named subject, person, name, identity or id
says which person. Where a table has both, a photo is looked up by itself first and then by its person. Names of
columns count in any case. A photo goes by its path below the folder of features or by its name alone, either with or
without an extension.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facepart.data.feature_files import label_of
from facepart.data.naming import Rule
from facepart.errors import FacepartError

IMAGE_COLUMNS = ("image", "photo", "file")
SUBJECT_COLUMNS = ("subject", "person", "name", "identity", "id")

_GROUPS_NAMED = 20  # in a message
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


@dataclass(frozen=True)
class People:
    """A table of groups.

    Attributes:
        source: the file it was read from.
        by_image: photo, without extension -> group; empty if the table is about people only.
        by_subject: person -> group; people whose photos are of several groups are left out.
        groups: group -> number of rows.
    """

    source: Path
    by_image: dict[str, str]
    by_subject: dict[str, str]
    groups: Counter[str]

    def group_of(self, photo: Sequence[str], subject: str) -> str | None:
        """Return the group of a photo, "" where the table leaves it empty, None where it has no row.

        Args:
            photo: what the photo may go by, the first first.
            subject: who is on it.
        """
        named = next((self.by_image[name] for name in photo if name in self.by_image), None)
        return self.by_subject.get(subject) if named is None else named

    def refuse_unknown(self, group: str) -> None:
        """Raise FacepartError unless the table has this group."""
        if not group or group not in self.groups:
            named = [f"{name} ({count})" for name, count in self.groups.most_common(_GROUPS_NAMED) if name]
            more = ", ..." if len(self.groups) > _GROUPS_NAMED else ""
            raise FacepartError(f"{self.source}: has no group {group!r}; its groups (rows): {', '.join(named)}{more}")


@dataclass(frozen=True)
class Selection:
    """The features of a group, and whom the table does not know.

    Attributes:
        chosen: the features of the group.
        subjects: how many people they show.
        without_row: people of whom some feature has no row, sorted.
        without_group: people of whom some feature has a row in which the group is empty, sorted.
    """

    chosen: list[Path]
    subjects: int
    without_row: list[str]
    without_group: list[str]


def read_people(source: Path, group_column: str = "group") -> People:
    """Read a table of groups.

    Args:
        source: the CSV file; a byte-order mark and CRLF are tolerated.
        group_column: the column that holds the group.

    Raises:
        FacepartError: the file cannot be read, lacks a column, has no rows, or puts one photo (one person, where it
            is about people) into two groups.
    """
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [[cell.strip() for cell in row] for row in csv.reader(file) if any(row)] or [[]]
    except FileNotFoundError as error:
        raise FacepartError(f"{source}: no such table of people") from error
    except OSError as error:
        raise FacepartError(f"{source}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FacepartError(f"{source}: is not a CSV file in UTF-8 ({error})") from error
    columns = {name.lower(): index for index, name in reversed(list(enumerate(header)))}
    if group_column.lower() not in columns:
        raise FacepartError(
            f"{source}: has no column {group_column!r}, only {', '.join(header) or 'none'}; "
            "name the one with the groups by --group-column"
        )
    image, subject = _first(columns, IMAGE_COLUMNS), _first(columns, SUBJECT_COLUMNS)
    if image is None and subject is None:
        wanted = ", ".join(IMAGE_COLUMNS + SUBJECT_COLUMNS)
        raise FacepartError(f"{source}: has no column that says who or what a row is about (one of {wanted})")
    if not rows:
        raise FacepartError(f"{source}: has a header but no rows")

    by_image: dict[str, str] = {}
    by_subject: dict[str, str] = {}
    mixed: set[str] = set()
    groups: Counter[str] = Counter()
    for row in rows:
        cells = dict(enumerate(row))
        group = cells.get(columns[group_column.lower()], "")
        photo = _EXTENSION.sub("", cells.get(image, "")) if image is not None else ""
        person = cells.get(subject, "") if subject is not None else ""
        groups[group] += 1
        if photo and by_image.setdefault(photo, group) != group:
            raise FacepartError(f"{source}: puts {photo} into two groups, {by_image[photo]!r} and {group!r}")
        if person and by_subject.setdefault(person, group) != group:
            if image is None:
                raise FacepartError(f"{source}: puts {person} into two groups, {by_subject[person]!r} and {group!r}")
            mixed.add(person)
    for person in mixed:
        del by_subject[person]
    return People(source, by_image, by_subject, groups)


def select_group(features: Sequence[Path], folder: Path, people: People, group: str, rule: Rule) -> Selection:
    """Choose the features that belong to a group.

    Args:
        features: absolute paths below `folder`.
        folder: where the photos' relative paths begin.
        people: the table.
        group: the group's name, as in the table.
        rule: tells from a label who is on a photo.

    Raises:
        FacepartError: the table has no such group, or none of the features belongs to it.
    """
    people.refuse_unknown(group)
    chosen: list[Path] = []
    subjects: set[str] = set()
    without_row: set[str] = set()
    without_group: set[str] = set()
    for feature in features:
        subject = rule(label_of(feature))
        relative = feature.relative_to(folder.absolute()).as_posix().removesuffix(".npy")
        found = people.group_of((relative, feature.stem), subject)
        if found is None:
            without_row.add(subject)
        elif not found:
            without_group.add(subject)
        elif found == group:
            chosen.append(feature)
            subjects.add(subject)
    if not chosen:
        unknown = f"; {len(without_row)} people have no row, e.g. {min(without_row)!r}" if without_row else ""
        raise FacepartError(
            f"{folder}: none of {len(features)} features belongs to group {group!r} of {people.source}{unknown}; "
            "do names and table go together (-d, --subject-pattern)?"
        )
    return Selection(chosen, len(subjects), sorted(without_row), sorted(without_group))


def _first(columns: dict[str, int], names: Sequence[str]) -> int | None:
    return next((columns[name] for name in names if name in columns), None)
