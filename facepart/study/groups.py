"""Photos -> the groups of a study, by the table of subjects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from facepart.analysis.results import ALL_GROUPS
from facepart.data.feature_files import label_of
from facepart.data.naming import Exclusion, Rule
from facepart.data.photos import Photo
from facepart.data.subject_table import People
from facepart.errors import FacepartError
from facepart.matching.features import Features
from facepart.matching.groups import split_by_people
from facepart.occlusion.occlusion import BASELINE


@dataclass(frozen=True)
class Members:
    """Who is in which group.

    Attributes:
        groups: group -> the names of its photos, sorted.
        subjects: group -> how many subjects they show.
        without_row: subjects without a row in the table, sorted.
        without_group: subjects whose row names no group, sorted.
    """

    groups: dict[str, list[str]]
    subjects: dict[str, int]
    without_row: list[str]
    without_group: list[str]

    def of(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return the photos that are in a group."""
        named = {name for names in self.groups.values() for name in names}
        return [photo for photo in photos if photo.name in named]

    def only(self, names: Collection[str], rule: Rule) -> "Members":
        """Return the same groups without the photos that are not among `names`."""
        chosen = set(names)
        groups = {group: [name for name in found if name in chosen] for group, found in self.groups.items()}
        subjects = {group: _count_subjects(found, rule) for group, found in groups.items()}
        return replace(self, groups=groups, subjects=subjects)

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

    def refuse_photos_without_session(self, exclusion: Exclusion | None) -> None:
        """Refuse photos whose names do not tell their session, if authentic pairs of one session are left out.

        Raises:
            FacepartError: there is such a photo in a group.
        """
        if exclusion is not None:
            for names in self.groups.values():
                for name in names:
                    exclusion.session(label_of(_feature(name)))


def assign_groups(names: Sequence[str], people: People | None, rule: Rule, wanted: Sequence[str]) -> Members:
    """Assign photos to groups by the table of subjects; without one, all are one group.

    Raises:
        FacepartError: the table has no such group, one named ``all`` among others, or none of the photos belongs to
            one.
    """
    if people is None:
        return Members({ALL_GROUPS: sorted(names)}, {ALL_GROUPS: _count_subjects(names, rule)}, [], [])
    paths = [_feature(name) for name in sorted(names)]
    photos = Features(
        Path("the photos"), np.empty((len(paths), 0), np.float32), [label_of(path) for path in paths], paths, None
    )
    split = split_by_people(photos, None, people, rule, wanted)
    groups = {group.name: [_name_of(path) for path in group.probe.paths] for group in split.groups}
    if ALL_GROUPS in groups and len(groups) > 1:
        raise FacepartError(
            f"{people.source}: has a group {ALL_GROUPS!r}, which is the name of all groups together; rename it, or "
            "choose the others with --groups"
        )
    counts = {group: _count_subjects(found, rule) for group, found in groups.items()}
    return Members(groups, counts, split.without_row, split.without_group)


def subject_of(name: str, rule: Rule) -> str:
    """Return who is on a photo."""
    return rule(label_of(_feature(name)))


def _feature(name: str) -> Path:
    """Return the path that a photo's feature would have, which its label follows from."""
    return Path(BASELINE.name) / f"{name}.npy"


def _name_of(feature: Path) -> str:
    return feature.relative_to(BASELINE.name).as_posix().removesuffix(".npy")


def _count_subjects(names: Sequence[str], rule: Rule) -> int:
    return len({subject_of(name, rule) for name in names})
