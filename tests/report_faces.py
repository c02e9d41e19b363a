"""Drawn embeddings of people, and their scores by subject: what the figures of a report's tests are computed from."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.design import Condition, Design
from facepart.analysis.group_data import Coverage
from facepart.analysis.influence import SubjectScores
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.scores import STEPS, GroupScores, ScoreDistribution
from facepart.scores.subject_sums import BIN, SubjectSums, Sums, bins_from

_DIMENSION = 96
# How alike photos are, as shares of an embedding: of different people, and of one beyond that.
_ALIKE, _OWN = 0.05, 0.55


class Faces(NamedTuple):
    """Embeddings of unit length, float64 (n, d), and whose they are, str (n,)."""

    embeddings: NDArray[np.float64]
    subjects: NDArray[np.str_]


class People(NamedTuple):
    """What the photos of a group are made of, the same in all conditions: so that they are paired."""

    common: NDArray[np.float64]
    own: NDArray[np.float64]
    photo: NDArray[np.float64]
    typical: NDArray[np.float64]
    subjects: NDArray[np.int64]


class Cover(NamedTuple):
    """What an occlusion covers: the share of the head that the part has, and of the photo that is replaced."""

    share: float
    replaced: float


class DrawnGroup:
    """A group of drawn photos, as the analysis sees it; see :class:`facepart.analysis.group_data.GroupData`."""

    def __init__(
        self,
        name: str,
        design: Design,
        faces: Mapping[Occlusion, Faces],
        undetected: Mapping[str, int],
        covers: Mapping[str, Cover],
    ) -> None:
        """Take the photos.

        Args:
            name: of the group.
            design: what is compared.
            faces: of all occlusions, the baseline among them.
            undetected: part -> on how many photos it was not found: the first ones.
            covers: part -> what it covers.
        """
        self.name, self.faces, self._design, self._missing, self._covers = name, faces, design, undetected, covers
        whose = faces[BASELINE].subjects
        self.photos = len(whose)
        self.subjects, self._numbers = np.unique(whose, return_inverse=True)
        self._compared: dict[tuple[Occlusion, bytes, str], SubjectScores | None] = {}

    def found(self, region: Region | None) -> NDArray[np.bool_]:
        return np.arange(self.photos) >= (self._missing.get(region.part.name, 0) if region and region.part else 0)

    def photo_counts(self, region: Region | None) -> NDArray[np.int64]:
        return np.bincount(self._numbers[self.found(region)], minlength=len(self.subjects))

    def first_alike(self, region: Region | None) -> Region | None:
        return region

    def scores(self, condition: Condition) -> SubjectScores | None:
        found = self.found(condition.photos_of)
        key = condition.occlusion, found.tobytes(), condition.comparison
        if key not in self._compared:
            self._compared[key] = self._compare(condition, found)
        return self._compared[key]

    def _compare(self, condition: Condition, found: NDArray[np.bool_]) -> SubjectScores | None:
        photos = [
            Faces(each.embeddings[found], each.subjects[found])
            for each in (self.faces[condition.occlusion], self.faces[BASELINE])
        ]
        if len(np.unique(photos[0].subjects)) < 2:
            return None
        return compare(*photos) if condition.comparison == "cross" else compare(photos[0])

    def group_scores(self, condition: Condition) -> GroupScores:
        found = self.scores(condition)
        assert found is not None
        return found.scores

    def control_scores(self, part: str) -> GroupScores | None:
        draws = [
            self.scores(self._design.condition(each)) for each in self._design.controls_of(self._design.of_part(part))
        ]
        known = [each for each in draws if each is not None]
        return reduce(GroupScores.merged_with, (each.scores for each in known)) if known else None

    def subject_vectors(self, occlusion: Occlusion, region: Region | None) -> NDArray[np.float64]:
        found, whole = self.found(region), np.zeros((len(self.subjects), _DIMENSION))
        np.add.at(whole, self._numbers[found], self.faces[occlusion].embeddings[found])
        return whole

    def coverage(self, occlusions: Sequence[Occlusion], region: Region | None) -> Coverage:
        cover = self._covers[occlusions[0].part]
        return Coverage(int(self.found(region).sum()), cover.share, cover.replaced)

    def undetected(self, occlusion: Occlusion) -> int:
        return self._missing.get(occlusion.part, 0)


def draw_people(rng: np.random.Generator, people: int, photos: int) -> People:
    subjects = np.repeat(np.arange(people), photos)
    common, own, photo = (
        rng.normal(size=(count, _DIMENSION)) / np.sqrt(_DIMENSION) for count in (1, people, len(subjects))
    )
    return People(common / np.linalg.norm(common), own, photo, rng.normal(size=people), subjects)


def embed(people: People, name: str, rng: np.random.Generator, shift: float) -> Faces:
    """Embed the photos so that impostor scores are `shift` higher; of some people more than of others."""
    alike = (_ALIKE + shift) * (1 + 0.4 * people.typical[people.subjects]).clip(0.2)
    own = np.full(len(alike), max(_OWN - 1.5 * abs(shift), 0.1))
    noise = people.photo + 0.3 * rng.normal(size=people.photo.shape) / np.sqrt(_DIMENSION)
    rows = (
        np.sqrt(alike)[:, None] * people.common
        + np.sqrt(own)[:, None] * people.own[people.subjects]
        + np.sqrt((1 - alike - own).clip(0.01))[:, None] * noise
    )
    whose = np.array([f"{name} {number:03}" for number in people.subjects])
    return Faces(rows / np.linalg.norm(rows, axis=1, keepdims=True), whose)


def compare(faces: Faces, gallery: Faces | None = None) -> SubjectScores:
    """Compare all photos with each other, or each with those of the other side but itself; every score by itself."""
    other = faces if gallery is None else gallery
    cosines = np.rint(faces.embeddings @ other.embeddings.T * STEPS) / STEPS
    rows, columns = (
        np.triu_indices(len(cosines), 1) if gallery is None else np.nonzero(~np.eye(len(cosines), dtype=bool))
    )
    names, numbers = np.unique(faces.subjects, return_inverse=True)
    scores, first, second = cosines[rows, columns], numbers[rows], numbers[columns]
    same = first == second
    lowest = int(np.quantile(scores[~same], 0.9) * STEPS) // BIN * BIN
    sums = SubjectSums(
        names,
        lowest,
        _sums(scores[same], [first[same]], len(names), lowest),
        _sums(scores[~same], [first[~same], second[~same]], len(names), lowest),
    )
    return SubjectScores(GroupScores(ScoreDistribution.of(scores[same]), ScoreDistribution.of(scores[~same])), sums)


def _sums(scores: NDArray[np.float64], people: list[NDArray[np.int64]], count: int, lowest: int) -> Sums:
    who, what = np.concatenate(people), np.tile(scores, len(people))
    width = bins_from(lowest)
    bins = np.zeros((count, width), np.int32)
    places = np.rint(what * STEPS).astype(np.int64) - lowest
    high = places >= 0
    np.add.at(bins, (who[high], np.minimum(places[high] // BIN, width - 1)), 1)
    totals = [np.bincount(who, what**power, minlength=count).astype(np.float64) for power in (1, 2)]
    return Sums(np.bincount(who, minlength=count), totals[0], totals[1], bins)
