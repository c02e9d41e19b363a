"""How much of every part an occlusion removes: a region covers more than it is meant to.

A control region that lies on another part takes that part away, too; and a part's own soft mask reaches over its
border.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.parts import PARTS, part_mask
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
    fitted = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8, copy=False)
    shares = {name: np.full(len(PARTS), np.nan, np.float32) for name in softs}
    for place, part in enumerate(PARTS):
        mask = part_mask(fitted, part)
        pixels = cv2.countNonZero(mask)
        if not pixels:
            continue
        for name, soft in softs.items():
            within = mask[soft.place]
            removed = cv2.mean(soft.values, within)[0] * cv2.countNonZero(within) if within.any() else 0.0
            shares[name][place] = removed / (255 * pixels)
    return shares
