"""The mean impostor scores of a group in every condition, and what they differ by: from the study's embeddings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.contrasts import PairSums, contrast, pair_sums, resampled_means
from facepart.analysis.influence import Influence
from facepart.matching.cosine import unit_rows
from facepart.matching.faces import Faces
from facepart.matching.subject_sums import vectors_by_person
from facepart.pipeline.embedding_store import ORIGINAL
from facepart.study.matching import subject_of
from facepart.study.setup import Setup

# Of sums by person, which are made of embeddings on disk; those of 13,000 people in one condition take 54 MB.
_KEPT_BYTES = 250_000_000


class GroupMeans:
    """The mean impostor scores of a group in all conditions; embeddings are read as they are needed.

    Attributes:
        people: str, (p,), their names, sorted.
    """

    def __init__(self, setup: Setup, names: Sequence[str]) -> None:
        self._setup, self._names = setup, names
        people = [subject_of(name, setup.rule) for name in names]
        self.people, self._numbers = np.unique(np.array(people, dtype=np.str_), return_inverse=True)
        self._photos = np.bincount(self._numbers, minlength=len(self.people))
        self._known: dict[str, NDArray[np.float64]] = {}

    def sums(self, version: str, cross: bool = False) -> PairSums:
        """Give the sums of a condition, by pairs of people."""
        gallery = self._vectors(ORIGINAL) if cross else None
        return pair_sums(self._photos, self._vectors(version), gallery)

    def shift(self, version: str, cross: bool = False) -> Influence:
        """Give the shift of the mean from that of the original photos."""
        return contrast([self.sums(version, cross), self.sums(ORIGINAL)], [1, -1])

    def control_shift(self, controls: Sequence[str]) -> Influence:
        """Give the mean shift over the draws of a control."""
        sums = [self.sums(version) for version in (*controls, ORIGINAL)]
        return contrast(sums, [*[1 / len(controls)] * len(controls), -1])

    def beyond(self, version: str, controls: Sequence[str]) -> Influence:
        """Give how far a version's mean goes beyond that of its control, over all draws."""
        sums = [self.sums(each) for each in (version, *controls)]
        return contrast(sums, [1, *[-1 / len(controls)] * len(controls)])

    def lead(self, first: Sequence[str], second: Sequence[str]) -> Influence:
        """Give how much more one version is worth than another; each with its controls, if any, after it."""
        sums, weights = [], []
        for sign, versions in ((1, first), (-1, second)):
            sums += [self.sums(version) for version in versions]
            weights += [sign, *(-sign / (len(versions) - 1) for _ in versions[1:])]
        return contrast(sums, weights)

    def resampled(self, version: str, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the mean of a version over people drawn anew, (b,)."""
        return resampled_means([self.sums(version)], weights)[:, 0]

    def _vectors(self, version: str) -> NDArray[np.float64]:
        """Give the sum of each person's embeddings; those asked for last are kept."""
        found = self._known.pop(version, None)
        if found is None:
            rows = unit_rows(self._setup.store.embeddings(version, self._names))
            found = vectors_by_person(Faces(rows, self._numbers, np.arange(len(rows))), len(self.people))
        self._known[version] = found
        while len(self._known) > 1 and len(self._known) * found.nbytes > _KEPT_BYTES:
            del self._known[next(iter(self._known))]
        return found
