"""The demographic group of each subject or photo: a table, as CSV with a header.

A column named image, photo or file names the photo of a row; a column named subject, person, name, identity or id
names the subject. If a table has both, a photo is looked up first, then its subject. Column names are not
case-sensitive. A photo is named by its path, from any of its folders on, or by its name alone, with or without the
extension of an image; ``./`` and the backslashes of Windows are understood, and :mod:`facepart.matching.groups`
finds longer paths. Everything is compared in Unicode's normal form C. Groups are the values of one column, or
those of several crossed, or bins of numbers (:mod:`facepart.data.group_columns`).

A row that names a photo and a subject is only of a photo of this subject: ``1.jpg`` of alice is not carol's
``1.jpg``. But a photo whose subject can be read from its name in the table, such as ``alice/1.jpg``, has the row,
whatever the table calls the subject.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facepart.counts import count_of, first_of
from facepart.data.group_columns import MOST_NUMBERS, find_unbinned, group_names, parse_group_columns, sort_groups
from facepart.data.image_names import without_extension
from facepart.data.labels import nfc, path_parts
from facepart.data.naming_conventions import Rule
from facepart.errors import FacepartError, UsageError, one_line
from facepart.files.csv_text import plain_cell
from facepart.suggestion import did_you_mean

IMAGE_COLUMNS = ("image", "photo", "file")
SUBJECT_COLUMNS = ("subject", "person", "name", "identity", "id")

# Without two subjects there are no impostor pairs, and so no figures.
SMALLEST_GROUP = 2

# Groups, and subjects, that a message names.
_GROUPS_NAMED = 20
SUBJECTS_NAMED = 5


@dataclass(frozen=True)
class People:
    """A table of groups.

    Attributes:
        source: the file it was read from.
        by_image: photo, without extension -> group, of the rows that name a photo and no subject.
        by_both: photo, without extension -> subject -> group, of the rows that name both.
        by_subject: subject -> group, of the rows that name no photo; of a subject without such a row, the group of
            all its photos in the table.
        photos_only: the subjects in `by_subject` all of whose rows name a photo.
        in_several: subjects with rows that are in several groups, which are in no `by_subject`.
        groups: group -> number of rows.
        order: the groups in the order in which they are shown: bins by their numbers, others by their names.
        unbinned: a column of many different numbers that was given no bins; empty if there is none.
    """

    source: Path
    by_image: dict[str, str]
    by_both: dict[str, dict[str, str]]
    by_subject: dict[str, str]
    photos_only: frozenset[str]
    in_several: frozenset[str]
    groups: Counter[str]
    order: Sequence[str]
    unbinned: str = ""

    @property
    def photos(self) -> list[str]:
        """All photos that the table names, each once."""
        return list(dict.fromkeys([*self.by_image, *self.by_both]))

    @property
    def subjects(self) -> set[str]:
        """All subjects that the table names."""
        return self.by_subject.keys() | self.in_several

    def own_group_of(self, photo: Sequence[str], subject: str, rule: Rule) -> str | None:
        """Return the group in the row of a photo, "" if the table leaves it empty, None if the photo has no row.

        Args:
            photo: names of the photo, in the order in which they are looked up.
            subject: the subject shown.
            rule: reads the subject from such a name; FacepartError if the name does not tell it.

        Raises:
            FacepartError: rows of the photo have different groups.
        """
        for name in photo:
            found = {self.by_image[name]} if name in self.by_image else set()
            of_subjects = self.by_both.get(name, {})
            if of_subjects and reads(rule, name) == subject:
                found.update(of_subjects.values())
            elif subject in of_subjects:
                found.add(of_subjects[subject])
            if len(found) > 1:
                raise _two_groups(self.source, name, *sorted(found))
            if found:
                return found.pop()
        return None

    def find_groups(self, names: Sequence[str]) -> list[str]:
        """Return the groups of the table that a user named.

        Args:
            names: the values of an option; those of a list are separated by commas, so that a group with commas in
                its name is several of them.

        Raises:
            FacepartError: the table has no such group.
        """
        found: list[str] = []
        rest = [nfc(name) for name in names]
        while rest:
            whole = ((rest[:end], sep.join(rest[:end])) for end in range(len(rest), 0, -1) for sep in (", ", ","))
            used, group = next(((used, group) for used, group in whole if group in self.groups), (rest[:1], rest[0]))
            self.refuse_unknown(group)
            found.append(group)
            rest = rest[len(used) :]
        return found

    def refuse_unbinned(self) -> None:
        """Refuse to make a group of each number in a column of many numbers, such as ages.

        Raises:
            FacepartError: there is such a column.
        """
        if self.unbinned:
            raise FacepartError(
                f"{self.source}: the column {self.unbinned!r} has more than {MOST_NUMBERS} different numbers, each "
                f"of them a group: give the edges of bins, e.g. --group-column {self.unbinned}:18,30,45,60, or name "
                "the groups"
            )

    def refuse_unknown(self, group: str) -> None:
        """Raise FacepartError unless the table has this group."""
        if not group or group not in self.groups:
            named = [f"{name} ({count})" for name, count in self.groups.most_common(_GROUPS_NAMED) if name]
            more = ", ..." if len(self.groups) > _GROUPS_NAMED else ""
            raise FacepartError(
                f"{self.source}: has no group {group!r}{did_you_mean(group, self.groups)}; its groups (rows): "
                f"{', '.join(named)}{more}"
            )


def read_people(source: Path, group_column: str = "group") -> People:
    """Read a table of groups.

    Args:
        source: the CSV file; a byte-order mark and CRLF are tolerated.
        group_column: the column that holds the group, several that are crossed, or numbers with the edges of bins;
            see :mod:`facepart.data.group_columns`.

    Raises:
        FacepartError: the file cannot be read, lacks a column, has no rows, a row that is longer than the header or a
            cell that is no number in a column with bins, gives two groups the same name, or puts one photo of one
            subject (or one subject, if it only names subjects) into two groups. UsageError: the group column is not
            well formed.
    """
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            # Strict: a quote that is opened and not closed would take all rows behind it for one cell.
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [_tidied(cell) for cell in row]) for row in reader if any(row)]
    except FileNotFoundError as error:
        raise FacepartError(f"{source}: no such table of subjects") from error
    except OSError as error:
        raise FacepartError(f"{source}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FacepartError(f"{source}: is not a CSV file in UTF-8 ({error})") from error
    header = lines[0][1] if lines else []
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            raise FacepartError(f"{source}: has {called} between its columns; they have to be commas")
    columns = {name.lower(): index for index, name in reversed(list(enumerate(header)))}
    if any("\0" in cell for _, row in lines for cell in row):
        raise FacepartError(f"{source}: is not a CSV file in UTF-8 (it has a byte of zero)")
    rows = lines[1:]
    for line, row in rows:
        if any(row[len(header) :]):
            raise FacepartError(
                f"{source}, line {line}: has {count_of(len(row), 'cell')}, but the header has {len(header)}; put a "
                "cell with a comma in quotes"
            )
    try:
        group_columns = parse_group_columns(nfc(group_column), header)
        names = group_names(group_columns, rows)
    except FacepartError as error:
        raise type(error)(str(error) if isinstance(error, UsageError) else f"{source}: {error}") from error
    image, subject = _first(columns, IMAGE_COLUMNS), _first(columns, SUBJECT_COLUMNS)
    for used in (image, subject, *(column.place for column in group_columns)):
        if used is not None:
            _refuse_unlike_twin(source, header, rows, used)
    if image is None and subject is None:
        wanted = ", ".join(IMAGE_COLUMNS + SUBJECT_COLUMNS)
        raise FacepartError(f"{source}: has no column that names the photo or the subject (one of {wanted})")
    if not rows:
        raise FacepartError(f"{source}: has a header but no rows")

    by_image: dict[str, str] = {}
    by_both: dict[str, dict[str, str]] = {}
    # Subject -> groups, of rows that name no photo, and of rows that do.
    alone: dict[str, set[str]] = defaultdict(set)
    of_photos: dict[str, set[str]] = defaultdict(set)
    groups: Counter[str] = Counter()
    for (_, row), group in zip(rows, names, strict=True):
        cells = dict(enumerate(row))
        photo = without_extension(plain_path(cells.get(image, ""))) if image is not None else ""
        shown = cells.get(subject, "") if subject is not None else ""
        groups[group] += 1
        if photo:
            key, groups_of = (shown, by_both.setdefault(photo, {})) if shown else (photo, by_image)
            if groups_of.setdefault(key, group) != group:
                named = f"{photo} of {shown}" if shown else photo
                raise _two_groups(source, named, groups_of[key], group)
        if shown:
            if image is None and alone[shown] - {group}:
                raise _two_groups(source, shown, *alone[shown], group)
            (of_photos if photo else alone)[shown].add(group)
    groups_of_subjects = {**of_photos, **alone}
    by_subject = {shown: min(found) for shown, found in groups_of_subjects.items() if len(found) == 1}
    photos_only = frozenset(by_subject.keys() - alone.keys())
    in_several = frozenset(groups_of_subjects.keys() - by_subject.keys())
    order = sort_groups(group_columns, rows, names)
    return People(
        *(source, by_image, by_both, by_subject, photos_only, in_several),
        *(groups, order, find_unbinned(group_columns, rows)),
    )


def plain_path(path: str) -> str:
    r"""Return a path with ``/`` between folders, without those that say nothing; a first ``/`` if it is absolute.

    Example:
        >>> [plain_path(path) for path in ("Ann\\1.jpg", "./Ann/1.jpg", "/data//1.jpg", r"C:\data\1.jpg")]
        ['Ann/1.jpg', 'Ann/1.jpg', '/data/1.jpg', '/C:/data/1.jpg']
    """
    absolute = path[:1] in ("/", "\\") or path[1:3] in (":/", ":\\")
    return "/" * absolute + "/".join(path_parts(path))


def _refuse_unlike_twin(
    source: Path, header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], used: int
) -> None:
    """Refuse a column if another has the same name and other cells, as where two tables were joined."""
    for place, name in enumerate(header):
        if place == used or name.lower() != header[used].lower():
            continue
        for line, row in rows:
            if row[place : place + 1] != row[used : used + 1]:
                raise FacepartError(f"{source}, line {line}: two columns called {header[used]!r} differ; rename one")


def find_small_groups(source: Path, subjects: Mapping[str, int], smallest: int) -> dict[str, int]:
    """Find the groups that have too few subjects.

    Args:
        source: the table that the groups are from.
        subjects: group -> how many subjects with photos it has.
        smallest: how many a group needs.

    Returns:
        Group -> its subjects, of the groups that are too small.

    Raises:
        FacepartError: no other group is left.
    """
    small = {group: count for group, count in subjects.items() if count < smallest}
    if small and len(small) == len(subjects):
        shown = first_of([f"{group} ({count})" for group, count in small.items()], _GROUPS_NAMED)
        raise FacepartError(
            f"{source}: no group has {count_of(smallest, 'subject')} with photos; its groups (subjects): "
            f"{shown}; choose another --group-column or wider bins, and check that the naming convention "
            "fits the table (-d, --subject-pattern)"
        )
    return small


def small_groups_text(small: Mapping[str, int], smallest: int) -> str:
    """Name the groups that were left out because they have fewer than `smallest` subjects.

    Example:
        >>> small_groups_text({"female_asian": 1, "male_asian": 0}, 2)
        'left out 2 groups of fewer than 2 subjects: female_asian (1), male_asian (0)'
    """
    named = ", ".join(f"{group} ({count})" for group, count in small.items())
    return f"left out {count_of(len(small), 'group')} of fewer than {count_of(smallest, 'subject')}: {named}"


def in_several_text(subjects: Sequence[str]) -> str:
    """Name the subjects of photos without a row that have rows, in several groups.

    Example:
        >>> in_several_text(["ann"])
        'photos without a row of 1 subject with rows in several groups: ann'
    """
    named = first_of(subjects, SUBJECTS_NAMED)
    return f"photos without a row of {count_of(len(subjects), 'subject')} with rows in several groups: {named}"


def without_own_row_text(groups: Mapping[str, Sequence[str]]) -> str:
    """Say that photos without a row are in the group of other photos.

    Args:
        groups: group -> such photos; there are some.

    Example:
        >>> without_own_row_text({"no": ["f/ed_2", "f/flo_2"]})
        "2 photos have no row and take the group of their subject's other photos, e.g. f/ed_2"
    """
    photos = [photo for found in groups.values() for photo in found]
    verbs, whose = ("has", "takes"), "its"
    if len(photos) > 1:
        verbs, whose = ("have", "take"), "their"
    count = count_of(len(photos), "photo")
    return f"{count} {verbs[0]} no row and {verbs[1]} the group of {whose} subject's other photos, e.g. {photos[0]}"


def _two_groups(source: Path, name: str, *groups: str) -> FacepartError:
    first, second = (one_line(repr(group)) for group in groups[:2])
    return FacepartError(f"{source}: puts {one_line(name)} into two groups, {first} and {second}")


def reads(rule: Rule, name: str) -> str | None:
    """Return the subject that a name tells; None if it tells none."""
    try:
        return rule(name)
    except FacepartError:
        return None


def _tidied(cell: str) -> str:
    """Return a cell on one line, in normal form C, without the apostrophe of a safe cell."""
    return nfc(plain_cell(" ".join(line.strip() for line in cell.splitlines()).strip()))


def _first(columns: dict[str, int], names: Sequence[str]) -> int | None:
    return next((columns[name] for name in names if name in columns), None)
