"""Which pairs are compared, which of them are authentic, and their scores in the order of the score files.

A pair is authentic if both faces are of one subject, impostor if not. Within one list every pair stands once, the
smaller row number first; across two lists every probe meets every gallery face. Two faces that bear the same photo
number are never compared. Rows come in row-major order of (probe, gallery).
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.matching.cosine import cosine_strips, rounded

# How many pairs are worked on at a time, beside the strip of cosines: the temporary arrays take 60 bytes a pair.
BLOCK_PAIRS = 1 << 18


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
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


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


def pair_blocks(
    probe: Faces, gallery: Faces | None = None, block_pairs: int = BLOCK_PAIRS
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Compare the faces and yield the rows of the score files, block by block.

    Args:
        probe: the faces that are looked for.
        gallery: those they are compared with; None compares the probes with each other.
        block_pairs: about how many pairs a block is made from; the rows are the same whatever it is.

    Yields:
        ``(authentic, impostor)``, each float64, (k, 3): probe row, gallery row, cosine rounded to 6 decimals. All
        blocks of a kind, one after another, are the whole in row-major order.
    """
    other = probe if gallery is None else gallery
    height = max(1, block_pairs // max(1, len(other.subjects)))
    for row, column, strip in cosine_strips(probe.embeddings, None if gallery is None else gallery.embeddings):
        subjects, photos = other.subjects[column:], other.photos[column:]
        for first in range(0, len(strip), height):
            scores = strip[first : first + height]
            rows = np.arange(row + first, row + first + len(scores))
            same_subject = probe.subjects[rows, None] == subjects
            compared = probe.photos[rows, None] != photos
            if gallery is None:
                compared &= np.arange(column, len(other.subjects)) > rows[:, None]
            offset = (row + first, column)
            yield _rows(compared & same_subject, scores, offset), _rows(compared & ~same_subject, scores, offset)


def _rows(chosen: NDArray[np.bool_], scores: NDArray[np.float32], offset: tuple[int, int]) -> NDArray[np.float64]:
    probe, gallery = np.nonzero(chosen)
    rows = np.empty((len(probe), 3), np.float64)
    rows[:, 0] = probe + offset[0]
    rows[:, 1] = gallery + offset[1]
    rows[:, 2] = rounded(scores[chosen])
    return rows


def _pairs_within(numbers: NDArray[np.int64]) -> int:
    counts = np.bincount(numbers)
    return int((counts * (counts - 1) // 2).sum())


def _pairs_across(probe: NDArray[np.int64], gallery: NDArray[np.int64]) -> int:
    size = max(probe.max(initial=-1), gallery.max(initial=-1)) + 1
    return int((np.bincount(probe, minlength=size) * np.bincount(gallery, minlength=size)).sum())
