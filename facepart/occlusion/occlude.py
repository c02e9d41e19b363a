"""A photo and its parts' masks -> the photo with one part occluded, once for each part."""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.recipe import recipe, scale_of
from facepart.occlusion.replace import WHOLE, inpaint
from facepart.occlusion.soften import soft_patch


class Occluded(NamedTuple):
    """A photo with a part occluded.

    Attributes:
        photo: uint8 (h, w, 3).
        share: the mean of the soft mask over the photo, 0..1: how much of the photo was replaced.
    """

    photo: NDArray[np.uint8]
    share: float


def blend(photo: NDArray[np.uint8], other: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Replace a photo by another where the mask says so: ``(mask * other + (255 - mask) * photo) / 255``.

    The fraction is dropped, as in the original, which computes this in floating point; in whole numbers it is exact.

    Args:
        photo: uint8 (h, w, 3).
        other: uint8 (h, w, 3).
        mask: uint8 (h, w).

    Returns:
        uint8 (h, w, 3).
    """
    share = cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)
    # 255 * photo + mask * (other - photo) + 1, in whole numbers of 16 bits, modulo 65536: the end result is at most
    # 255 * 255 + 1, so it is right though numbers on the way are not.
    total = np.subtract(other, photo, dtype=np.uint16)
    total *= share
    carry = photo.astype(np.uint16)
    carry *= 255
    carry += 1
    total += carry
    # Division by 255 that drops the fraction: exact for all these numbers, and far faster than //.
    np.right_shift(total, 8, out=carry)
    total += carry
    total >>= 8
    return total.astype(np.uint8)


def occlude_parts(
    photo: NDArray[np.uint8], masks: Mapping[str, NDArray[np.uint8]], method: OcclusionMethod = STANDARD
) -> dict[str, Occluded]:
    """Occlude each part of a photo, one at a time.

    Args:
        photo: uint8 (h, w, 3), any channel order.
        masks: part -> its mask, uint8 (512, 512), 0 or 255. An empty mask leaves the photo as it is.
        method: how.

    Returns:
        Part -> the photo with that part occluded.
    """
    height, width = photo.shape[:2]
    whole: NDArray[np.uint8] | None = None
    results: dict[str, Occluded] = {}
    for part, mask in masks.items():
        constants = recipe(part, height, width, method)
        soft = soft_patch(mask, constants, height, width)
        if not soft.values.size:
            results[part] = Occluded(photo, 0.0)
            continue
        if method.occluder == "inpaint":
            # The patch reaches further than any pixel that has an influence.
            other = inpaint(photo[soft.place], soft.values, scale_of(height, width))
        else:
            if whole is None:
                # The same for all parts.
                whole = WHOLE[method.occluder](photo, constants.box)
            other = whole[soft.place]
        occluded = photo.copy()
        occluded[soft.place] = blend(photo[soft.place], other, soft.values)
        share = float(soft.values.sum(dtype=np.int64)) / (255 * height * width)
        results[part] = Occluded(occluded, share)
    return results
