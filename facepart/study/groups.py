"""Photos -> the groups of a study, by the table of subjects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from facepart.analysis.results import ALL_GROUPS
from facepart.data.group_files import refuse_same_files
from facepart.data.labels import cut_labels, nfc, readable_depth
from facepart.data.naming_conventions import Exclusion, Rule
from facepart.data.photos import Photo
from facepart.data.subject_table import People, find_small_groups
from facepart.errors import FacepartError
from facepart.matching.features import unread_features
from facepart.matching.groups import split_by_people
from facepart.occlusion.occlusion import BASELINE

# Folders that a photo in none may be given.
_FOLDERS = (BASELINE.name, "another")


@dataclass(frozen=True)
class PhotoRule:
    """Reads who is on a photo, or its session, from the photo's name.

    Attributes:
        read: from a label.
        depth: of the labels (:mod:`facepart.data.labels`).
    """

    read: Rule
    depth: int

    def __call__(self, name: str) -> str:
        """Read from one name; FacepartError if its label does not fit."""
        return self.read(cut_labels(long_names([name]), self.depth)[0])


@dataclass(frozen=True)
class Members:
    """Who is in which group.

    Attributes:
        groups: group -> the names of its photos, sorted.
        subjects: group -> how many subjects they show.
        without_row: subjects with a photo that has no row, and no group of its subject's, sorted.
        without_group: subjects whose row names no group, sorted.
        in_several: those of `without_row` that have rows, in several groups, sorted.
        without_own_row: group -> its photos that have no row, and whose subject's rows are all of other photos.
        small: the groups that were left out because they are too small -> how many subjects they show.
    """

    groups: dict[str, list[str]]
    subjects: dict[str, int]
    without_row: list[str]
    without_group: list[str]
    in_several: list[str] = field(default_factory=list)
    without_own_row: dict[str, list[str]] = field(default_factory=dict)
    small: dict[str, int] = field(default_factory=dict)

    def of(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return the photos that are in a group."""
        named = {name for names in self.groups.values() for name in names}
        return [photo for photo in photos if photo.name in named]

    def only(self, names: Collection[str], rule: Rule) -> "Members":
        """Return the same groups with only the photos among `names`, whose subjects a rule reads from them."""
        chosen = set(names)
        groups = {group: [name for name in found if name in chosen] for group, found in self.groups.items()}
        subjects = {group: count_subjects(found, rule) for group, found in groups.items()}
        return replace(self, groups=groups, subjects=subjects)

    def without_small(self, table: Path, smallest: int) -> "Members":
        """Return the same without the groups that show fewer than `smallest` subjects, which `small` then names.

        Raises:
            FacepartError: no group is left.
        """
        small = find_small_groups(table, self.subjects, smallest)
        return replace(
            self,
            groups={group: names for group, names in self.groups.items() if group not in small},
            subjects={group: count for group, count in self.subjects.items() if group not in small},
            without_own_row={group: names for group, names in self.without_own_row.items() if group not in small},
            small={**self.small, **small},
        )

    def refuse_without_threshold_group(self, group: str | None) -> None:
        """Refuse to compare groups at the threshold of one that is left out.

        Args:
            group: whose baseline scores set the threshold; None for all groups'.

        Raises:
            FacepartError: it is not among the groups.
        """
        if group and nfc(group) not in self.groups:
            raise FacepartError(f"--threshold-group {group}: too few subjects of this group have photos")

    def refuse_single_subjects(self, source: Path) -> None:
        """Refuse a group that shows one subject.

        Raises:
            FacepartError: there is such a group, so that it has no impostor pairs.
        """
        for group, count in self.subjects.items():
            if count < 2:  # none where no photo of the group could be embedded
                of_group = "" if group == ALL_GROUPS else f"of group {group!r} "
                raise FacepartError(
                    f"{source}: the photos {of_group}show {'one' if count else 'no'} subject, so there are no "
                    "impostor pairs; if it should be more, try another -d or --subject-pattern, else choose other "
                    "groups with --groups"
                )

    def refuse_photos_without_session(self, session: Rule | None) -> None:
        """Refuse photos whose names do not tell their session, if authentic pairs of one session are left out.

        Args:
            session: reads it from a photo's name; None if no pairs are left out.

        Raises:
            FacepartError: there is such a photo in a group.
        """
        if session is not None:
            for names in self.groups.values():
                for name in names:
                    session(name)


def photo_rules(names: Sequence[str], rule: Rule, exclusion: Exclusion | None) -> tuple[PhotoRule, PhotoRule | None]:
    """Return what reads subjects, and sessions, from the names of photos; both from the same labels.

    Raises:
        FacepartError: what is read of a photo that is in no folder depends on the name of one. It is given that of
            each condition, so that its subject would have a name in each.
    """
    rules = [rule] if exclusion is None else [rule, exclusion.session]
    depth = readable_depth([long_names(names)], rules)
    for name in (name for name in names if "/" not in name):
        if any(len({_reads(each, f"{folder}/{name}", depth) for folder in _FOLDERS}) > 1 for each in rules):
            raise FacepartError(
                f"{name}: is in no folder, but -d, --subject-pattern or --exclude-same reads the folder's name; move "
                "the photo into one, or choose another convention or pattern"
            )
    return PhotoRule(rule, depth), None if exclusion is None else PhotoRule(exclusion.session, depth)


def _reads(rule: Rule, name: str, depth: int) -> str | None:
    """Return what a rule reads from a name; None if its label does not fit."""
    try:
        return rule(cut_labels([name], depth)[0])
    except FacepartError:
        return None


def long_names(names: Sequence[str], folder: str = BASELINE.name) -> list[str]:
    """Return the names that labels of photos are the ends of: a photo that is in no folder gets one."""
    everywhere = any(name.startswith(f"{folder}/") for name in names)
    return [name if "/" in name and not everywhere else f"{folder}/{name}" for name in names]


def assign_groups(names: Sequence[str], people: People | None, rule: PhotoRule, wanted: Sequence[str]) -> Members:
    """Assign photos to groups by the table of subjects; without one, all are one group.

    Raises:
        FacepartError: the table has no such group, one named ``all`` among others, or none of the photos belongs to
            one.
    """
    if people is None:
        return Members({ALL_GROUPS: sorted(names)}, {ALL_GROUPS: count_subjects(names, rule)}, [], [])
    names = sorted(names)
    paths, longest = [Path(f"{name}.npy") for name in names], long_names(names)
    photos = unread_features(Path("the photos"), longest, paths, names)
    split = split_by_people(photos, None, people, rule.read, wanted, rule.depth)
    groups = {group.name: list(group.probe.photos) for group in split.groups}
    refuse_same_files(groups)
    if ALL_GROUPS in groups and len(groups) > 1:
        raise FacepartError(
            f"{people.source}: has a group {ALL_GROUPS!r}, which is the name of all groups together; rename it, or "
            "choose the others with --groups"
        )
    counts = {group: count_subjects(found, rule) for group, found in groups.items()}
    return Members(*(groups, counts, split.without_row, split.without_group), split.in_several, split.without_own_row)


def count_subjects(names: Sequence[str], rule: Rule) -> int:
    """Return how many subjects photos show."""
    return len({rule(name) for name in names})
