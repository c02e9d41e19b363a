"""A part's mask at the parser's size -> a soft mask at the photo's size.

The original resizes the mask by area, dilates it, and softens it with ``scipy.ndimage.gaussian_filter`` on 8-bit
values. That filter works along one axis after the other and drops the fraction after each; so does this one, with
OpenCV's faster convolution, which is why it has its own few lines rather than ``cv2.GaussianBlur``.

Most parts are small. So all of it is done on a patch of the photo, beyond which the soft mask is 0 throughout.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.data.resize import resize_around

# scipy.ndimage.gaussian_filter's default: the kernel ends at this many sigmas.
_TRUNCATE = 4.0

# Sums of 8-bit values times weights that add up to 1 must not fall below a whole number by rounding alone:
# above float32's error here (2e-4 with 1,000 weights), far below what a fraction of a grey level means.
ROUNDING = 3e-4

# A filter that leaves its axis as it is.
_NONE = np.ones(1, np.float32)

# The numbers on the way take four times a mask's memory: a larger one is filtered in strips of so many pixels.
_FILTERED_PIXELS = 1 << 24
# Pixels: a multiple of what any processor works on at once.
_VECTOR = 64


class Patch(NamedTuple):
    """A rectangle of an image, and its pixels; 0 elsewhere.

    Attributes:
        top: its first row.
        left: its first column.
        values: uint8 (rows, columns).
    """

    top: int
    left: int
    values: NDArray[np.uint8]

    @property
    def place(self) -> tuple[slice, slice]:
        """Where it lies: an index into the whole image."""
        rows, columns = self.values.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)

    def whole(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return all of the image, uint8 (height, width)."""
        image = np.zeros((height, width), np.uint8)
        image[self.place] = self.values
        return image


def soften_layers(layers: Sequence[tuple[NDArray[np.uint8], int]], sigma: float, height: int, width: int) -> Patch:
    """Soften the union of several masks, each of which grows by as much as it would alone.

    Args:
        layers: masks, uint8 (h, w), 0 or 255, each with the radius of the square by which it grows, in pixels of the
            photo.
        sigma: standard deviation of the Gaussian, in pixels of the photo.
        height: rows of the photo.
        width: columns of the photo.

    Returns:
        The soft mask: 0 where the photo stays, 255 where it is replaced, between them at the border. It is the patch
        beyond which all is 0; without pixels if all masks are empty.
    """
    kernel = gaussian_kernel(sigma)
    reach = len(kernel) // 2
    grown = [_grow(mask, growth, reach, height, width) for mask, growth in layers]
    found = [patch for patch in grown if patch.values.size]
    if not found:
        return grown[0]
    patch = found[0] if len(found) == 1 else _unite(found)
    patch = patch._replace(values=_filter_columns(patch.values, kernel))
    patch = _widen(patch, 0, reach, height, width)
    return patch._replace(values=_filter_rows(patch.values, kernel))


def complement(patch: Patch, height: int, width: int) -> Patch:
    """Return what a soft mask leaves of a photo, 255 minus its values; nothing if it takes nothing.

    Args:
        patch: the soft mask, 0 beyond it.
        height: rows of the photo.
        width: columns of the photo.

    Returns:
        A patch as large as the photo; without pixels if the soft mask is 0 throughout.
    """
    if not patch.values.any():
        return Patch(0, 0, np.zeros((0, 0), np.uint8))
    rest = patch.whole(height, width)
    return Patch(0, 0, np.invert(rest, out=rest))


def _grow(mask: NDArray[np.uint8], growth: int, reach: int, height: int, width: int) -> Patch:
    """Resize a mask and grow it; above and below are zeros as far as a filter reaches."""
    patch = _fit(mask, height, width)
    if not patch.values.size:
        return patch
    # Before each step, zeros are added as far as it reaches. The patch's border is then the photo's, or lies in zeros
    # so wide that mirroring finds what it would find in the whole photo.
    patch = _widen(patch, growth + reach, growth, height, width)
    if growth:
        square = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * growth + 1, 2 * growth + 1))
        patch = patch._replace(values=cv2.dilate(patch.values, square).astype(np.uint8, copy=False))
    return patch


def _unite(patches: Sequence[Patch]) -> Patch:
    """Return the patch around several, in each pixel the largest of their values."""
    top, left = min(patch.top for patch in patches), min(patch.left for patch in patches)
    bottom = max(patch.place[0].stop for patch in patches)
    right = max(patch.place[1].stop for patch in patches)
    values = np.zeros((bottom - top, right - left), np.uint8)
    for patch in patches:
        rows, columns = patch.place
        inside = values[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        np.maximum(inside, patch.values, out=inside)
    return Patch(top, left, values)


@lru_cache(maxsize=8)
def gaussian_kernel(sigma: float) -> NDArray[np.float32]:
    """Return the weights of the Gaussian along one axis, float32 (2 radius + 1,), which add up to 1."""
    radius = int(_TRUNCATE * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 / sigma**2 * offsets**2)
    return (weights / weights.sum()).astype(np.float32)


# Border (mirrored, the edge repeated) and truncation are those of scipy.ndimage.gaussian_filter.
# cv2.sepFilter2D with a kernel of 1 on the other axis, because cv2.filter2D takes long kernels for large ones and
# goes through a Fourier transform. Of the ways to drop the fraction, each axis has the one that is faster there:
# OpenCV's rounding to 16 bits, half a level lower, and the conversion of positive floats. (To 8 bits, OpenCV may
# round the kernel to 8 bits as well.)


def _filter_columns(values: NDArray[np.uint8], kernel: NDArray[np.float32]) -> NDArray[np.uint8]:
    if values.size <= _FILTERED_PIXELS:
        return _filter_columns_at_once(values, kernel)
    filtered = np.empty_like(values)
    columns = max(1, _FILTERED_PIXELS // len(values) // _VECTOR) * _VECTOR
    for left in range(0, values.shape[1], columns):
        strip = slice(left, left + columns)
        filtered[:, strip] = _filter_columns_at_once(values[:, strip], kernel)
    return filtered


def _filter_columns_at_once(values: NDArray[np.uint8], kernel: NDArray[np.float32]) -> NDArray[np.uint8]:
    lower = ROUNDING - 0.5
    filtered = cv2.sepFilter2D(values, cv2.CV_16S, _NONE, kernel, delta=lower, borderType=cv2.BORDER_REFLECT)
    return filtered.astype(np.uint8)


def _filter_rows(values: NDArray[np.uint8], kernel: NDArray[np.float32]) -> NDArray[np.uint8]:
    if values.size <= _FILTERED_PIXELS:
        return _filter_rows_at_once(values, kernel)
    filtered = np.empty_like(values)
    rows = max(1, _FILTERED_PIXELS // values.shape[1])
    for top in range(0, len(values), rows):
        strip = slice(top, top + rows)
        filtered[strip] = _filter_rows_at_once(values[strip], kernel)
    return filtered


def _filter_rows_at_once(values: NDArray[np.uint8], kernel: NDArray[np.float32]) -> NDArray[np.uint8]:
    filtered = cv2.sepFilter2D(values, cv2.CV_32F, kernel, _NONE, delta=ROUNDING, borderType=cv2.BORDER_REFLECT)
    return filtered.astype(np.uint8)


def _fit(mask: NDArray[np.uint8], height: int, width: int) -> Patch:
    """Resize a mask to a photo's size; return the patch with all its pixels above 0."""
    left, top, columns, rows = cv2.boundingRect(mask)
    if not rows:
        return Patch(0, 0, mask[:0, :0])
    place = slice(top, top + rows), slice(left, left + columns)
    fitted_place, fitted = resize_around(mask, place, height, width)
    return Patch(fitted_place[0].start, fitted_place[1].start, fitted)


def _widen(patch: Patch, vertically: int, horizontally: int, height: int, width: int) -> Patch:
    """Add zeros on all sides, as far as the photo of height x width goes."""
    rows, columns = patch.values.shape
    above, before = min(vertically, patch.top), min(horizontally, patch.left)
    below = min(vertically, height - patch.top - rows)
    after = min(horizontally, width - patch.left - columns)
    wide = cv2.copyMakeBorder(patch.values, above, below, before, after, cv2.BORDER_CONSTANT, value=0)
    return Patch(patch.top - above, patch.left - before, wide.astype(np.uint8, copy=False))
