"""What takes the place of a part: a photo -> another of its size, of which the soft mask takes its share.

One function for each occlusion of :data:`facepart.occlusion.method.OCCLUDERS`. All take uint8 (h, w, 3) in any
channel order, and give uint8 of the same shape (perhaps read-only); the same photo always gives the same answer.
"""

import hashlib
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

GREY = 128
# Pixels: a multiple of what any processor works on at once.
_VECTOR = 64

# Of a soft mask: half of a pixel is the replacement's.
_HALF = 127

# Radius of the neighbourhood from which Telea's method estimates a pixel, in pixels of a photo of 224x224.
_INPAINT_RADIUS = 3


def blur(photo: Pixels, box: int) -> Pixels:
    """Return the mean of the `box` x `box` pixels around each, as in the original study.

    ``cv2.blur`` mirrors at the border without repeating the edge, as there.
    """
    return cv2.blur(photo, (box, box)).astype(np.uint8, copy=False)


def blur_around(photo: Pixels, place: tuple[slice, slice], box: int) -> Pixels:
    """Return what :func:`blur` gives in a place of a photo, bit by bit, without blurring all of it.

    Args:
        photo: uint8 (h, w, 3).
        place: rows and columns.
        box: side of the box, in pixels.
    """
    rows, columns = place
    # OpenCV multiplies the sums by 1 / box ** 2 in single precision, but in double in the last columns, which do not
    # fill a vector: as in the whole photo if the margin is wider than these, and begins where a vector does.
    top, left = max(rows.start - box, 0), max(columns.start - box - _VECTOR, 0) // _VECTOR * _VECTOR
    around = blur(photo[top : rows.stop + box, left : columns.stop + box + _VECTOR], box)
    return around[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def mean(photo: Pixels, box: int) -> Pixels:
    """Return the photo's mean colour, rounded, everywhere."""
    del box
    sums = np.array(cv2.sumElems(photo)[:3]).astype(np.int64)
    return np.broadcast_to(_rounded_mean(sums, photo[:, :, 0].size), photo.shape)


def grey(photo: Pixels, box: int) -> Pixels:
    """Return 128 everywhere."""
    del box
    return np.broadcast_to(np.uint8(GREY), photo.shape)


def noise(photo: Pixels, box: int) -> Pixels:
    """Return independent, uniformly random levels 0..255, for each pixel and channel.

    The seed is the photo's own bytes, so that the answer is always the same but no two photos get one pattern: a
    pattern that all photos share would itself make them alike, and raise all scores.
    """
    del box
    seed = int.from_bytes(hashlib.blake2b(np.ascontiguousarray(photo).data, digest_size=16).digest(), "little")
    return np.random.default_rng(seed).integers(0, 256, photo.shape, dtype=np.uint8)


def pixelate(photo: Pixels, box: int) -> Pixels:
    """Return a mosaic: each block of `box` x `box` pixels, from the top left on, is its mean colour, rounded.

    At the right and at the bottom, blocks are as large as the photo leaves room for.
    """
    height, width = photo.shape[:2]
    rows, columns = np.arange(0, height, box), np.arange(0, width, box)
    sums = np.add.reduceat(photo, rows, axis=0, dtype=np.int64)
    sums = np.add.reduceat(sums, columns, axis=1)
    rows_each, columns_each = np.diff(rows, append=height), np.diff(columns, append=width)
    blocks = _rounded_mean(sums, np.multiply.outer(rows_each, columns_each)[:, :, None])
    return blocks.repeat(rows_each, axis=0).repeat(columns_each, axis=1)


# The replacements that do not depend on the mask: photo, side of the box in its pixels -> replacement.
WHOLE: dict[str, Callable[[Pixels, int], Pixels]] = {
    "blur": blur,
    "mean": mean,
    "grey": grey,
    "noise": noise,
    "pixelate": pixelate,
}


def inpaint(photo: Pixels, mask: Pixels, scale: float) -> Pixels:
    """Continue the surroundings of a mask into it, from its border inwards, by the fast marching method.

    Source: A. Telea, "An image inpainting technique based on the fast marching method", Journal of Graphics Tools
    9(1), 2004; the program is OpenCV's.

    Args:
        photo: uint8 (h, w, 3).
        mask: uint8 (h, w), the soft mask. Where it is above half, the photo is hidden; where it is less, the photo is
            a surrounding. (Of all that is above 0, much is beyond the part: the background would run into the face.)
        scale: of the photo, in times of one of 224x224; see :func:`facepart.occlusion.recipe.scale_of`.

    Returns:
        uint8 (h, w, 3). Where the mask leaves nothing to continue, the photo's mean colour.
    """
    hidden = np.where(mask > _HALF, 255, 0).astype(np.uint8)
    if hidden.all():
        return mean(photo, 0)
    radius = max(round(_INPAINT_RADIUS * scale), 1)
    return cv2.inpaint(photo, hidden, radius, cv2.INPAINT_TELEA).astype(np.uint8, copy=False)


def _rounded_mean(sums: NDArray[np.int64], counts: int | NDArray[np.int64]) -> Pixels:
    """Divide; a half is rounded up."""
    return ((2 * sums + counts) // (2 * counts)).astype(np.uint8)
