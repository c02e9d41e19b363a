"""How far two label maps of a photo agree: intersection over union, by class and by part.

Counts of pixels are added over photos before they are divided: the IoU of a class is the sum of its intersections
over the sum of its unions. Masks are compared as the label maps say, before they are dilated and softened.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.networks.label_map import CLASSES
from facepart.occlusion.parts import Part, part_mask


class Overlap(NamedTuple):
    """Pixels of something in two label maps, or in those of several photos.

    Attributes:
        intersection: pixels that have it in both.
        union: pixels that have it in either.
        photos: photos that have it in either.
    """

    intersection: int = 0
    union: int = 0
    photos: int = 0

    @property
    def iou(self) -> float:
        """Intersection over union, 0..1; NaN if it is nowhere."""
        return self.intersection / self.union if self.union else float("nan")

    def plus(self, other: "Overlap") -> "Overlap":
        """Return the sum over the photos of both."""
        return Overlap(*(one + two for one, two in zip(self, other, strict=True)))


def confusion(labels: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the pixels of each pair of classes.

    Args:
        labels: uint8, any shape, values 0..18.
        other: the same shape.

    Returns:
        int64 (19, 19): pixels by their class in `labels` (rows) and in `other` (columns).
    """
    count = len(CLASSES)
    pairs = labels.astype(np.intp).ravel() * count + other.ravel()
    return np.bincount(pairs, minlength=count * count).reshape(count, count)


def class_overlaps(labels: NDArray[np.uint8], other: NDArray[np.uint8]) -> list[Overlap]:
    """Return the overlap of each of the 19 classes in two label maps; see :func:`confusion`."""
    counts = confusion(labels, other)
    both = counts.diagonal()
    either = counts.sum(axis=0) + counts.sum(axis=1) - both
    return [Overlap(int(one), int(two), int(two > 0)) for one, two in zip(both, either, strict=True)]


def part_overlaps(labels: NDArray[np.uint8], other: NDArray[np.uint8], parts: Sequence[Part]) -> list[Overlap]:
    """Return the overlap of parts in two label maps.

    Args:
        labels: uint8 (512, 512), values 0..18.
        other: likewise.
        parts: none that needs landmarks.
    """
    found = []
    for part in parts:
        one, two = part_mask(labels, part) > 0, part_mask(other, part) > 0
        union = int(np.count_nonzero(one | two))
        found.append(Overlap(int(np.count_nonzero(one & two)), union, int(union > 0)))
    return found


def total_overlaps(photos: Iterable[Sequence[Overlap]]) -> list[Overlap]:
    """Add overlaps, the same ones of each photo, over photos; nothing without photos."""
    return [reduce(Overlap.plus, of_photos) for of_photos in zip(*photos, strict=True)]
