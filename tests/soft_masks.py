"""Soft masks as large as a photo: what the product makes of a mask, or of any 8-bit values."""

import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.parts import Part
from facepart.occlusion.recipe import SIGMA, growth, scale_of
from facepart.occlusion.soften import Patch, soften_layers


def soft_patch(
    mask: NDArray[np.uint8], part: Part, height: int, width: int, method: OcclusionMethod = STANDARD
) -> Patch:
    """Soften a mask as that of a part."""
    layers = [(mask, growth(part.dilations, height, width, method))]
    return soften_layers(layers, SIGMA * scale_of(height, width), height, width)


def soft_mask(
    mask: NDArray[np.uint8], part: Part, height: int, width: int, method: OcclusionMethod = STANDARD
) -> NDArray[np.uint8]:
    """All of :func:`soft_patch`."""
    return soft_patch(mask, part, height, width, method).whole(height, width)


def truncating_gaussian(values: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Soften values that neither grow nor are resized."""
    height, width = values.shape
    return soften_layers([(values, 0)], sigma, height, width).whole(height, width)
