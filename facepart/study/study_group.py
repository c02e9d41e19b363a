"""One group of a study, as the analysis sees it; read from the study's folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.design import Condition
from facepart.analysis.group_data import Coverage
from facepart.analysis.influence import SubjectScores
from facepart.data.naming_conventions import Rule
from facepart.matching.cosine import unit_rows
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import vectors_by_subject
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.study.comparisons import read_scores
from facepart.study.photo_sets import PhotoSets


class StudyGroup:
    """One group of a study by one recogniser; see :class:`facepart.analysis.group_data.GroupData`."""

    def __init__(self, name: str, sets: PhotoSets, rule: Rule, store: EmbeddingStore, matches: Path) -> None:
        """Take a group.

        Args:
            name: the group's.
            sets: its photos, and those in which each region was found.
            rule: says who is on a photo, by its name.
            store: the recogniser's embeddings.
            matches: the folder of its scores.
        """
        self._name, self._sets, self._store, self._matches = name, sets, store, matches
        self.photos = len(sets.names)
        subjects = np.array([rule(each) for each in sets.names], dtype=np.str_)
        self.subjects, self._numbers = np.unique(subjects, return_inverse=True)

    def photo_counts(self, region: Region | None) -> NDArray[np.int64]:
        """Count the photos of each subject on which a region was found, int64 (p,)."""
        return np.bincount(self._numbers[self._sets.rows(region)], minlength=len(self.subjects))

    def first_alike(self, region: Region | None) -> Region | None:
        """Return the first region that was found on just the same photos; None if that is all of them."""
        return self._sets.first_alike(region)

    def scores(self, condition: Condition) -> SubjectScores | None:
        """Read the scores in a condition; None where the photos show fewer than two subjects."""
        if not self._sets.is_comparable(condition.photos_of):
            return None
        return read_scores(self._matches, self._sets.resolve(condition), self._name)

    def subject_vectors(self, occlusion: Occlusion, region: Region | None) -> NDArray[np.float64]:
        """Return the sum of each subject's embeddings with an occlusion, (p, d), over the photos of a region."""
        rows = self._sets.rows(region)
        embeddings = unit_rows(self._store.embeddings(occlusion.name, self._sets.of(region)))
        return vectors_by_subject(Faces(embeddings, self._numbers[rows], rows), len(self.subjects))

    def coverage(self, occlusions: Sequence[Occlusion], region: Region | None) -> Coverage:
        """Return how occlusions of one part cover the photos of a region, on average."""
        part = occlusions[0].part
        records = [self._store.photos[name].record for name in self._sets.of(region)]
        if not records:
            return Coverage(0, 0.0, 0.0)
        return Coverage(
            photos=len(records),
            share=float(np.mean([record.pixels[part] / max(record.head, 1) for record in records])),
            replaced=float(np.mean([record.shares[each.name] for record in records for each in occlusions])),
        )

    def undetected(self, occlusion: Occlusion) -> int:
        """Count the photos that an occlusion left as they were, because its region was not found."""
        records = (self._store.photos[name].record for name in self._sets.names)
        return sum(not record.shares[occlusion.name] for record in records)
