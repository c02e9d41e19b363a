"""A part's mask at the parser's size -> a soft mask at the photo's size.

The original resizes the mask by area, dilates it, and softens it with ``scipy.ndimage.gaussian_filter`` on 8-bit
values. That filter works along one axis after the other and drops the fraction after each; so does this one, with
OpenCV's faster convolution, which is why it has its own few lines rather than ``cv2.GaussianBlur``.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.recipe import Recipe

# scipy.ndimage.gaussian_filter's default: the kernel ends at this many sigmas.
_TRUNCATE = 4.0

# Sums of 8-bit values times weights that add up to 1 must not fall below a whole number by rounding alone:
# far above float32's error here (255 * 41 * 6e-8), far below what a fraction of a grey level means.
_ROUNDING = 1e-3


def soft_mask(mask: NDArray[np.uint8], constants: Recipe, height: int, width: int) -> NDArray[np.uint8]:
    """Resize, grow and soften a mask.

    Args:
        mask: uint8 (h, w), 0 or 255.
        constants: by how much.
        height: rows of the photo.
        width: columns of the photo.

    Returns:
        uint8 (height, width): 0 where the photo stays, 255 where it is replaced, between them at the border.
    """
    # INTER_AREA averages where the mask shrinks; where it grows it would repeat pixels, so lines between them.
    shrinks = height <= mask.shape[0] and width <= mask.shape[1]
    fitted = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    if constants.dilation:
        side = 2 * constants.dilation + 1
        fitted = cv2.dilate(fitted, cv2.getStructuringElement(cv2.MORPH_RECT, (side, side)))
    return truncating_gaussian(fitted.astype(np.uint8, copy=False), constants.sigma)


def truncating_gaussian(values: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Filter 8-bit values with a Gaussian, first along the columns, then along the rows, fractions dropped each time.

    Kernel, border (mirrored, the edge repeated) and truncation are those of ``scipy.ndimage.gaussian_filter``.

    Args:
        values: uint8 (h, w).
        sigma: standard deviation, in pixels.

    Returns:
        uint8 (h, w).
    """
    radius = int(_TRUNCATE * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 / sigma**2 * offsets**2)
    kernel = (weights / weights.sum()).astype(np.float32)
    out = values.astype(np.float32)
    for along in (kernel[:, None], kernel[None, :]):
        filtered = cv2.filter2D(out, cv2.CV_32F, along, delta=_ROUNDING, borderType=cv2.BORDER_REFLECT)
        out = np.floor(filtered)
    return out.astype(np.uint8)
