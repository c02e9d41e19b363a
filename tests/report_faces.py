"""Drawn embeddings of people, and their scores by subject: what the figures of a report's tests are computed from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.contrasts import PairSums, pair_sums
from facepart.analysis.influence import SubjectScores
from facepart.scores import STEPS, GroupScores, ScoreDistribution
from facepart.scores.subject_sums import BIN, SubjectSums, Sums, bins_from

_DIMENSION = 96
# How alike photos are, as shares of an embedding: of different people, and of one beyond that.
_ALIKE, _OWN = 0.05, 0.55


class Faces(NamedTuple):
    """Embeddings of unit length, float64 (n, d), and whose they are, int64 (n,)."""

    embeddings: NDArray[np.float64]
    subjects: NDArray[np.int64]


class People(NamedTuple):
    """What the photos of a group are made of, the same in all conditions: so that they are paired."""

    common: NDArray[np.float64]
    own: NDArray[np.float64]
    photo: NDArray[np.float64]
    typical: NDArray[np.float64]
    subjects: NDArray[np.int64]


def resample_subjects(rng: np.random.Generator, people: int, photos: int) -> People:
    subjects = np.repeat(np.arange(people), photos)
    common, own, photo = (
        rng.normal(size=(count, _DIMENSION)) / np.sqrt(_DIMENSION) for count in (1, people, len(subjects))
    )
    return People(common / np.linalg.norm(common), own, photo, rng.normal(size=people), subjects)


def embed(people: People, rng: np.random.Generator, shift: float) -> Faces:
    """Embed the photos so that impostor scores are `shift` higher; of some people more than of others."""
    alike = (_ALIKE + shift) * (1 + 0.4 * people.typical[people.subjects]).clip(0.2)
    own = np.full(len(alike), max(_OWN - 1.5 * abs(shift), 0.1))
    noise = people.photo + 0.3 * rng.normal(size=people.photo.shape) / np.sqrt(_DIMENSION)
    rows = (
        np.sqrt(alike)[:, None] * people.common
        + np.sqrt(own)[:, None] * people.own[people.subjects]
        + np.sqrt((1 - alike - own).clip(0.01))[:, None] * noise
    )
    return Faces(rows / np.linalg.norm(rows, axis=1, keepdims=True), people.subjects)


def compare(faces: Faces, gallery: Faces | None = None) -> SubjectScores:
    """Compare all photos with each other, or each with those of the other side but itself; every score by itself."""
    other = faces if gallery is None else gallery
    cosines = np.rint(faces.embeddings @ other.embeddings.T * STEPS) / STEPS
    rows, columns = (
        np.triu_indices(len(cosines), 1) if gallery is None else np.nonzero(~np.eye(len(cosines), dtype=bool))
    )
    scores, first, second = cosines[rows, columns], faces.subjects[rows], other.subjects[columns]
    same = first == second
    count = int(faces.subjects[-1]) + 1
    lowest = int(np.quantile(scores[~same], 0.9) * STEPS) // BIN * BIN
    sums = SubjectSums(
        np.array([f"person {number:03}" for number in range(count)]),
        lowest,
        _sums(scores[same], [first[same]], count, lowest),
        _sums(scores[~same], [first[~same], second[~same]], count, lowest),
    )
    return SubjectScores(GroupScores(ScoreDistribution.of(scores[same]), ScoreDistribution.of(scores[~same])), sums)


def between(faces: Faces, gallery: Faces | None = None) -> PairSums:
    """Sum up the impostor scores between people."""
    count = int(faces.subjects[-1]) + 1
    sums = [_vectors(side, count) for side in (faces, *([gallery] if gallery else []))]
    return pair_sums(np.bincount(faces.subjects), *sums)


def _vectors(faces: Faces, count: int) -> NDArray[np.float64]:
    return np.stack([faces.embeddings[faces.subjects == person].sum(axis=0) for person in range(count)])


def _sums(scores: NDArray[np.float64], people: list[NDArray[np.int64]], count: int, lowest: int) -> Sums:
    who, what = np.concatenate(people), np.tile(scores, len(people))
    width = bins_from(lowest)
    bins = np.zeros((count, width), np.int32)
    places = np.rint(what * STEPS).astype(np.int64) - lowest
    high = places >= 0
    np.add.at(bins, (who[high], np.minimum(places[high] // BIN, width - 1)), 1)
    totals = [np.bincount(who, what**power, minlength=count).astype(np.float64) for power in (1, 2)]
    return Sums(np.bincount(who, minlength=count), totals[0], totals[1], bins)
