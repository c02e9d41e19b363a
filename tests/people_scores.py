"""Scores of small groups with their sums by subject, straight from the definition."""

import numpy as np

from facepart.analysis.influence import SubjectScores
from facepart.scores import GroupScores, ScoreDistribution
from facepart.scores.subject_sums import BIN, SubjectSums, Sums, bins_from


def draw_photos(seed: int, people: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is on each photo, and embeddings before and after a change."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people), rng.integers(1, 5, people))
    centres = rng.standard_normal((people, 8)) * 0.15 + 0.1
    photos = centres[subjects] + rng.standard_normal((len(subjects), 8)) * 0.08
    after = photos * 0.8 + rng.standard_normal((people, 8))[subjects] * 0.05 + 0.05
    return subjects, photos, after


def person_vectors(subjects: np.ndarray, photos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photos of each person, int64 (p,), and the sum of their embeddings, float64 (p, d)."""
    people = subjects.max() + 1
    vectors = np.zeros((people, photos.shape[1]))
    np.add.at(vectors, subjects, photos)
    return np.bincount(subjects, minlength=people), vectors


def group_scores(subjects: np.ndarray, photos: np.ndarray, lowest: int = -1_000_000) -> SubjectScores:
    """Compare all photos with each other; scores are products, whatever the length of the embeddings."""
    names, subjects = np.unique(subjects, return_inverse=True)
    first, second = np.triu_indices(len(subjects), 1)
    scores = (photos @ photos.T)[first, second]
    same = subjects[first] == subjects[second]
    people, width = len(names), bins_from(lowest)

    def sums(chosen: np.ndarray, sides: list[np.ndarray]) -> Sums:
        who, own = np.concatenate([side[chosen] for side in sides]), np.tile(scores[chosen], len(sides))
        places = np.minimum((np.rint(own * 1e6).astype(int) - lowest) // BIN, width - 1)
        bins = np.bincount((who * width + places)[places >= 0], minlength=people * width)
        return Sums(
            np.bincount(who, minlength=people),
            np.bincount(who, own, minlength=people).astype(np.float64),
            np.bincount(who, own**2, minlength=people).astype(np.float64),
            bins.reshape(people, width).astype(np.int32),
        )

    left, right = subjects[first], subjects[second]
    person_sums = SubjectSums(
        np.array([f"{name:05}" for name in names]), lowest, sums(same, [left]), sums(~same, [left, right])
    )
    return SubjectScores(
        GroupScores(ScoreDistribution.of(scores[same]), ScoreDistribution.of(scores[~same])), person_sums
    )
