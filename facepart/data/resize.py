"""Pixels -> fewer or more pixels, of a whole image or only around a place in it.

By area where an image shrinks, which keeps what is finer than a pixel from turning into noise; linearly where it
grows. (:func:`facepart.networks.face_parser.fit_photo` resizes as the original study does for its parser.)
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

# Of an image: rows, columns.
Size = tuple[int, int]

# A rectangle of an image, as an index into it: rows, columns.
Place = tuple[slice, slice]


def resize(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize an image.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        height: rows wanted.
        width: columns wanted.

    Returns:
        uint8 (height, width) or (height, width, 3); `pixels` itself where it has this size.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    # INTER_AREA would only repeat pixels where the image grows.
    method = cv2.INTER_AREA if _shrinks(pixels, height, width) else cv2.INTER_LINEAR
    fitted = cv2.resize(pixels, (width, height), interpolation=method)
    return fitted.astype(np.uint8, copy=False)


def distorts(size: Size, target: Size) -> bool:
    """Return whether an image that is resized changes its proportions by more than rounding to whole pixels does.

    Args:
        size: rows and columns of the image.
        target: rows and columns that it is resized to.
    """
    return abs(size[0] * target[1] - size[1] * target[0]) > max(target)


def resize_around(
    pixels: NDArray[np.uint8], place: Place, height: int, width: int
) -> tuple[Place, NDArray[np.uint8]]:
    """Resize an image, but give only the pixels around a place in it, and work on no others.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        place: the rows and columns of `pixels` that matter.
        height: rows that the whole image would have.
        width: columns that the whole image would have.

    Returns:
        Where the result lies in the resized image, and the result: what :func:`resize` gives there, to a grey level.
        All pixels on which those of `place` have any influence are in it.
    """
    # An area is averaged on its own; interpolation looks at the pixel next to it as well.
    reach = 0 if _shrinks(pixels, height, width) else 1
    rows, columns = (
        _stretch(part, old, new, reach) for part, old, new in zip(place, pixels.shape, (height, width), strict=False)
    )
    fitted = resize(pixels[rows.taken, columns.taken], rows.fitted, columns.fitted)
    return (rows.place, columns.place), fitted[rows.kept, columns.kept]


def _shrinks(pixels: NDArray[np.uint8], height: int, width: int) -> bool:
    return height <= pixels.shape[0] and width <= pixels.shape[1]


class _Stretch(NamedTuple):
    """A stretch of an axis that can be resized alone, as if with all of the axis.

    Attributes:
        taken: its pixels before.
        fitted: how many it has after.
        kept: those of them that are right: at the ends, interpolation lacked a neighbour.
        place: where these lie on the whole axis.
    """

    taken: slice
    fitted: int
    kept: slice
    place: slice


def _stretch(part: slice, old: int, new: int, reach: int) -> _Stretch:
    """Find the stretch for a part of an axis of `old` pixels that becomes one of `new`, with a filter of that reach.

    It ends on borders between pixels both before and after; these divide the axis into equal steps.
    """
    steps = math.gcd(old, new)
    before, after = old // steps, new // steps
    first = max(part.start - reach, 0) // before
    last = min(-(-(part.stop + reach) // before), steps)
    begin, end = max(first - reach, 0), min(last + reach, steps)
    return _Stretch(
        taken=slice(begin * before, end * before),
        fitted=(end - begin) * after,
        kept=slice((first - begin) * after, (last - begin) * after),
        place=slice(first * after, last * after),
    )
