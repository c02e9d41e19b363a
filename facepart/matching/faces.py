"""The two sides of a comparison, and how many pairs of each kind they make.

A pair is authentic if both faces are of one subject, impostor if not. Within one list every pair stands once, the
smaller row number first; across two lists every probe meets every gallery face. Two faces that bear the same photo
number are never compared, nor are two of the same session, where there are sessions. Either are of one subject, so
that only authentic pairs are left out.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Faces(NamedTuple):
    """One side of a comparison.

    Attributes:
        embeddings: float32, (n, d), rows of length 1.
        subjects: int64, (n,), who each face is; the numbers mean the same on both sides.
        photos: int64, (n,), faces of equal number are never compared; they must be of one subject.
        sessions: int64, (n,), likewise; None if all authentic pairs but those of one photo are compared. Both sides
            have sessions, or neither.
    """

    embeddings: NDArray[np.float32]
    subjects: NDArray[np.int64]
    photos: NDArray[np.int64]
    sessions: NDArray[np.int64] | None = None


class PairRows(NamedTuple):
    """Rows of the score files, each float64, (k, 3): probe row, gallery row, cosine rounded to 6 decimals."""

    authentic: NDArray[np.float64]
    impostor: NDArray[np.float64]


class PairCounts(NamedTuple):
    """How many pairs there are of each kind.

    Attributes:
        authentic: of one subject, and compared.
        impostor: of two subjects.
        left_out: of one photo.
        excluded: of one session, but not of one photo.
    """

    authentic: int
    impostor: int
    left_out: int
    excluded: int = 0


def number(keys: Sequence[Hashable], known: dict[Hashable, int]) -> NDArray[np.int64]:
    """Return equal keys equal numbers, counting on from the keys that are `known`; new ones are added there."""
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), np.int64, len(keys))


def count_pairs(probe: Faces, gallery: Faces | None = None) -> PairCounts:
    """Count the pairs from the subjects, photos and sessions alone, before anything is compared.

    With p_s and g_s faces of subject s on the two sides, sum(p_s g_s) pairs are of one subject, and likewise for
    photos and sessions; within one list, sum(p_s (p_s - 1) / 2).
    """
    sides = [probe] if gallery is None else [probe, gallery]
    sizes = [len(side.subjects) for side in sides]
    total = sizes[0] * (sizes[0] - 1) // 2 if gallery is None else sizes[0] * sizes[1]
    subject = _count_equal([side.subjects for side in sides])
    photo = _count_equal([side.photos for side in sides])
    excluded = 0
    sessions = [side.sessions for side in sides if side.sessions is not None]
    if sessions:
        # Numbers of what has both in common: of those pairs, the photo is the reason.
        both = np.stack([np.concatenate(sessions), np.concatenate([side.photos for side in sides])])
        numbers = np.unique(both, axis=1, return_inverse=True)[1].reshape(-1)
        excluded = _count_equal(sessions) - _count_equal(np.split(numbers, sizes[:-1]))
    return PairCounts(subject - photo - excluded, total - subject, photo, excluded)


def _count_equal(sides: Sequence[NDArray[np.int64]]) -> int:
    """Count the pairs of equal numbers, within one side or across two."""
    size = max(side.max(initial=-1) for side in sides) + 1
    first, *others = (np.bincount(side, minlength=size) for side in sides)
    return int((first * others[0]).sum() if others else (first * (first - 1) // 2).sum())
