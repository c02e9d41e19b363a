"""How much of every part an occlusion removes: a region covers more than it is meant to.

A control region that lies on another part takes that part away, too; and a part's own soft mask reaches over its
border.
"""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.networks.label_map import CLASSES
from facepart.occlusion.parts import PARTS
from facepart.occlusion.soften import Patch


def removed_shares(
    labels: NDArray[np.uint8], softs: Mapping[str, Patch], height: int, width: int
) -> dict[str, NDArray[np.float32]]:
    """Return which share of every part is removed by each of several soft masks.

    Args:
        labels: a label map, uint8 (512, 512).
        softs: name -> a soft mask of the photo.
        height: rows of the photo.
        width: columns of the photo.

    Returns:
        Name -> float32 (parts,), 0..1, in the order of :data:`facepart.occlusion.parts.PARTS`: the mean of the soft
        mask over the part's pixels; NaN where the part is not on the photo.
    """
    fitted = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    pixels = _by_part(np.bincount(fitted.ravel(), minlength=len(CLASSES)))
    shares = {}
    for name, soft in softs.items():
        within, weights = fitted[soft.place].ravel(), soft.values.ravel()
        removed = _by_part(np.bincount(within, weights, minlength=len(CLASSES)))
        share = np.full(len(PARTS), np.nan)
        shares[name] = np.divide(removed, 255 * pixels, out=share, where=pixels > 0).astype(np.float32)
    return shares


def _by_part(by_class: NDArray[Any]) -> NDArray[np.float64]:
    """Add up numbers of the classes of a label map for each part."""
    return np.array([by_class[list(part.classes)].sum() for part in PARTS.values()], np.float64)
