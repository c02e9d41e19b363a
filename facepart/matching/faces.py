"""The two sides of a comparison, and how many pairs of each kind they make.

A pair is authentic if both faces are of one subject, impostor if not. Within one list every pair stands once, the
smaller row number first; across two lists every probe meets every gallery face. Two faces that bear the same photo
number are never compared.
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
    """

    embeddings: NDArray[np.float32]
    subjects: NDArray[np.int64]
    photos: NDArray[np.int64]


class PairCounts(NamedTuple):
    """How many pairs there are of each kind; `left_out` are those of one photo number."""

    authentic: int
    impostor: int
    left_out: int


def number(keys: Sequence[Hashable], known: dict[Hashable, int]) -> NDArray[np.int64]:
    """Give equal keys equal numbers, counting on from the keys that are `known`; new ones are added there."""
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), np.int64, len(keys))


def count_pairs(probe: Faces, gallery: Faces | None = None) -> PairCounts:
    """Count the pairs from the subjects and photos alone, before anything is compared.

    With p_s and g_s faces of subject s on the two sides, sum(p_s g_s) pairs are of one subject, and likewise for
    photos; within one list, sum(p_s (p_s - 1) / 2).
    """
    size = len(probe.subjects)
    if gallery is None:
        total = size * (size - 1) // 2
        subject, photo = _pairs_within(probe.subjects), _pairs_within(probe.photos)
    else:
        total = size * len(gallery.subjects)
        subject = _pairs_across(probe.subjects, gallery.subjects)
        photo = _pairs_across(probe.photos, gallery.photos)
    return PairCounts(authentic=subject - photo, impostor=total - subject, left_out=photo)


def _pairs_within(numbers: NDArray[np.int64]) -> int:
    counts = np.bincount(numbers)
    return int((counts * (counts - 1) // 2).sum())


def _pairs_across(probe: NDArray[np.int64], gallery: NDArray[np.int64]) -> int:
    size = max(probe.max(initial=-1), gallery.max(initial=-1)) + 1
    return int((np.bincount(probe, minlength=size) * np.bincount(gallery, minlength=size)).sum())
