"""The constants of the original study's soft masks and blur, and how they scale with the photo.

They were set for photos of 224x224 (github.com/abhatta1234/computerVisionI, face_parsing_BiSeNet_v2). For a photo of
another size they scale with sqrt(height * width) / 224, so that the same share of the face is softened and blurred.
"""

import math

from facepart.occlusion.method import STANDARD, OcclusionMethod

# The side of the photos that the constants were set for, in pixels.
REFERENCE = 224

SIGMA = 5.0

# Of equal-area patches, which are smaller than the Gaussian of parts is wide: what it would leave of them is a haze.
# They do not grow, so that their areas stay equal.
PATCH_SIGMA = 2.0


def scale_of(height: int, width: int) -> float:
    """Return the size of a photo as a multiple of the size that the constants were set for."""
    return math.sqrt(height * width) / REFERENCE


def growth(dilations: int, height: int, width: int, method: OcclusionMethod = STANDARD) -> int:
    """Return by how many pixels a mask grows on a photo of height x width; `dilations` are those of a part."""
    # n dilations with a 5x5 square are one with a square of radius 2n.
    return round(2 * dilations * method.dilation * scale_of(height, width))


def box_side(method: OcclusionMethod, height: int, width: int) -> int:
    """Return the side of a method's box on a photo of height x width, in pixels; odd."""
    # On a small photo, a small box must not become a single pixel, which would leave the photo as it is.
    return 2 * max(round((method.box - 1) / 2 * scale_of(height, width)), 1) + 1
