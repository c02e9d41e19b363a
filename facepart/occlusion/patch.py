"""Equal-area patches: the same small area, occluded inside every part, so that parts of any size can be compared.

Half of a patch lies in the left half of the part and half in the right, so that a patch of the eyes or brows takes as
much of either. In each half it takes the pixels nearest to the half's centroid, of those that lie deep enough in the
part; so it is compact, and lies at the same place of the part in all photos. Its mask does not grow, and a Gaussian
keeps the sum of a mask, so that areas stay equal when they are softened.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.parts import Part, part_mask

# To be raised whenever a label map comes to give another patch.
VERSION = 1

# Pixels of the label map: two discs of 8.5 pixels' diameter on a photo of 224x224. On the London set, where the eyes
# are the smallest part, the smaller half of the eyes has 381 pixels or more (median 1,134).
PIXELS = 600

# From so many pixels on, a pixel is deep enough in its part: the patch's soft border stays within.
_DEEP = 6.0

# Depths are roots of whole numbers up to 36, so two that differ do so by 0.08 or more: times this, by more than any
# squared distance on a label map.
_DEPTH_FIRST = 2.0**24


def patch_mask(labels: NDArray[np.uint8], part: Part, landmarks: Landmarks | None = None) -> NDArray[np.uint8]:
    """Return the patch of a part.

    Args:
        labels: a label map, uint8 (512, 512).
        part: the part.
        landmarks: of the face, for a part that needs them.

    Returns:
        uint8 (512, 512): 255 in just :data:`PIXELS` pixels of the part, else 0. In each half of the part, they are
        the deepest; of those that lie 6 pixels deep or deeper, the nearest to the half's centroid; of equal ones, the
        uppermost, then the leftmost. All 0 where a half of the part has fewer pixels than half a patch.
    """
    mask = part_mask(labels, part, landmarks)
    patch = np.zeros_like(mask)
    rows, columns = np.nonzero(mask)
    if len(rows) < PIXELS:
        return patch
    # What lies beyond the label map is no part.
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    shallow = np.maximum(_DEEP - depth[rows, columns], 0)
    left = columns < columns.mean()
    for half in (np.flatnonzero(left), np.flatnonzero(~left)):
        if len(half) < PIXELS // 2:
            return np.zeros_like(mask)
        down, right = rows[half], columns[half]
        away = (down - down.mean()) ** 2 + (right - right.mean()) ** 2
        order = _DEPTH_FIRST * shallow[half] + away
        # Only those that may be among the first are sorted: skin has more than a hundred thousand pixels.
        first = np.flatnonzero(order <= np.partition(order, PIXELS // 2 - 1)[PIXELS // 2 - 1])
        chosen = half[first[np.argsort(order[first], kind="stable")[: PIXELS // 2]]]
        patch[rows[chosen], columns[chosen]] = 255
    return patch
