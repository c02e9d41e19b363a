"""How much of every part an occlusion removes: a region covers more than it is meant to.

A control region that lies on another part takes that part away, too; and a part's own soft mask reaches over its
border.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.networks.label_map import CLASSES
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.parts import PARTS, Part, part_mask
from facepart.occlusion.soften import Patch

_COUNTED_PIXELS = 1 << 22


def removed_shares(
    labels: NDArray[np.uint8],
    softs: Mapping[str, Patch],
    height: int,
    width: int,
    parts: Sequence[Part] = tuple(PARTS.values()),
    landmarks: Landmarks | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Return which share of every part is removed by each of several soft masks.

    Args:
        labels: a label map, uint8 (512, 512).
        softs: name -> a soft mask of the photo.
        height: rows of the photo.
        width: columns of the photo.
        parts: which parts.
        landmarks: of the face, for parts that need them.

    Returns:
        Name -> float32 (parts,), 0..1, in the order of `parts`: the mean of the soft mask over the part's pixels; NaN
        where the part is not on the photo.
    """
    fitted = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    # What is not told by classes alone is resized as a mask.
    masks = {
        part: cv2.resize(part_mask(labels, part, landmarks), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        for part in parts
        if part.zone or part.members
    }
    by_class = _sums(fitted)
    pixels = _by_part(by_class, {part: cv2.countNonZero(mask) for part, mask in masks.items()}, parts)
    shares = {}
    for name, soft in softs.items():
        by_class = _sums(fitted[soft.place], soft.values)
        by_mask = {part: int(soft.values[mask[soft.place] > 0].sum(dtype=np.int64)) for part, mask in masks.items()}
        removed = _by_part(by_class, by_mask, parts)
        share = np.full(len(parts), np.nan)
        shares[name] = np.divide(removed, 255 * pixels, out=share, where=pixels > 0).astype(np.float32)
    return shares


def _sums(labels: NDArray[Any], weights: NDArray[np.uint8] | None = None) -> NDArray[np.float64]:
    """Return the sum of weights, or the number, of the pixels of each class; they are whole numbers, so exact."""
    sums = np.zeros(len(CLASSES))
    # Counting takes 16 times the memory of what is counted: some rows at a time.
    rows = max(1, _COUNTED_PIXELS // max(labels.shape[1], 1))
    for top in range(0, len(labels), rows):
        strip = None if weights is None else weights[top : top + rows].ravel()
        sums += np.bincount(labels[top : top + rows].ravel(), strip, minlength=len(CLASSES))
    return sums


def _by_part(by_class: NDArray[Any], by_mask: Mapping[Part, int], parts: Sequence[Part]) -> NDArray[np.float64]:
    """Return a number for each part: its own, or the sum of those of its classes."""
    found = [by_mask[part] if part in by_mask else by_class[list(part.classes)].sum() for part in parts]
    return np.array(found, np.float64)
