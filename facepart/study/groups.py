"""Photos -> the groups of a study, and what the analysis needs to know of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.design import Condition
from facepart.analysis.group_data import Coverage
from facepart.analysis.influence import SubjectScores
from facepart.analysis.results import ALL_GROUPS
from facepart.data.feature_files import label_of
from facepart.data.naming import Exclusion, Rule
from facepart.data.photos import Photo
from facepart.data.subject_table import People
from facepart.errors import FacepartError
from facepart.matching.cosine import unit_rows
from facepart.matching.faces import Faces
from facepart.matching.features import Features
from facepart.matching.groups import split_by_people
from facepart.matching.subject_statistics import vectors_by_subject
from facepart.occlusion.occlusion import BASELINE, Occlusion
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.study.comparisons import read_scores


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


class StudyGroup:
    """One group of a study, read from its folder; see :class:`facepart.analysis.group_data.GroupData`."""

    def __init__(self, name: str, photos: Sequence[str], rule: Rule, store: EmbeddingStore, output: Path) -> None:
        """Take a group.

        Args:
            name: the group's.
            photos: names of its photos.
            rule: says who is on a photo.
            store: the embeddings.
            output: the study's folder.
        """
        self._name, self._names, self._store, self._output = name, photos, store, output
        self.photos = len(photos)
        people = np.array([subject_of(each, rule) for each in photos], dtype=np.str_)
        self.subjects, self._numbers = np.unique(people, return_inverse=True)
        self.photo_counts = np.bincount(self._numbers, minlength=len(self.subjects))

    def scores(self, condition: Condition) -> SubjectScores:
        """Read the scores in a condition, and their sums by subject."""
        return read_scores(self._output, condition, self._name)

    def subject_vectors(self, occlusion: Occlusion) -> NDArray[np.float64]:
        """Return the sum of each subject's embeddings with an occlusion, (p, d)."""
        rows = unit_rows(self._store.embeddings(occlusion.name, self._names))
        return vectors_by_subject(Faces(rows, self._numbers, np.arange(len(rows))), len(self.subjects))

    def coverage(self, occlusions: Sequence[Occlusion], controls: Sequence[Occlusion]) -> Coverage:
        """Return how occlusions of one part cover the photos, on average."""
        part = occlusions[0].part
        records = [self._store.photos[name].record for name in self._names]
        kinds = [
            record.controls[each.name] for record in records for each in controls if each.name in record.controls
        ]
        return Coverage(
            undetected=sum(not record.pixels[part] for record in records),
            share=float(np.mean([record.pixels[part] / max(record.head, 1) for record in records])),
            replaced=float(np.mean([record.shares[each.name] for record in records for each in occlusions])),
            control=_in_words(kinds),
        )


def _in_words(kinds: Sequence[str]) -> str:
    """Name the kinds of control, with their shares where there are several."""
    found = sorted(set(kinds), key=lambda kind: -kinds.count(kind))
    if len(found) < 2:
        return "".join(found)
    return ", ".join(f"{kind} {kinds.count(kind) / len(kinds):.1%}" for kind in found)


def _feature(name: str) -> Path:
    """Return the path that a photo's feature would have, which its label follows from."""
    return Path(BASELINE.name) / f"{name}.npy"


def _name_of(feature: Path) -> str:
    return feature.relative_to(BASELINE.name).as_posix().removesuffix(".npy")


def _count_subjects(names: Sequence[str], rule: Rule) -> int:
    return len({subject_of(name, rule) for name in names})
