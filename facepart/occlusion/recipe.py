"""The constants of the original study's soft masks and blur, and how they scale with the photo.

They were set for photos of 224x224 (github.com/abhatta1234/computerVisionI, face_parsing_BiSeNet_v2). For a photo of
another size they scale with sqrt(height * width) / 224, so that the same share of the face is softened and blurred.
"""

import math
from dataclasses import dataclass

from facepart.occlusion.method import BOXED, STANDARD, Way

# The side of the photos that the constants were set for, in pixels.
REFERENCE = 224

# How often the mask is dilated with a 5x5 square; n times is once with a square of radius 2n.
_DILATIONS = {"eyes": 4, "brows": 2, "eyes_brows": 4, "nose": 3, "mouth": 4, "hair": 4, "skin": 0}
_SIGMA = 5.0


@dataclass(frozen=True)
class Recipe:
    """The constants for one part on photos of one size, in pixels of the photo.

    Attributes:
        dilation: radius of the square by which the mask grows; 0 for not at all.
        sigma: standard deviation of the Gaussian that softens the mask.
        box: side of the box filter that blurs the photo, or of a mosaic's blocks; odd.
    """

    dilation: int
    sigma: float
    box: int


def scale_of(height: int, width: int) -> float:
    """Give the size of a photo in times of that for which the constants were set."""
    return math.sqrt(height * width) / REFERENCE


def recipe(part: str, height: int, width: int, way: Way = STANDARD) -> Recipe:
    """Give the constants for a part (of :data:`facepart.occlusion.parts.PARTS`) on a photo of height x width."""
    scale = scale_of(height, width)
    return Recipe(
        dilation=round(2 * _DILATIONS[part] * way.dilation * scale),
        sigma=_SIGMA * scale,
        # On a small photo, a small box must not become a single pixel, which would leave the photo as it is.
        box=2 * max(round((way.box - 1) / 2 * scale), 1) + 1,
    )


def describe(way: Way = STANDARD) -> dict[str, object]:
    """Give the recipe of a way as JSON values, for ``run.json``: different for ways that differ."""
    described: dict[str, object] = {
        "occlusion": way.occlusion,
        "reference_size": REFERENCE,
        "dilations_5x5": dict(_DILATIONS),
        "mask_sigma": _SIGMA,
    }
    if way.occlusion in BOXED:
        described["box"] = way.box
    if way.dilation != 1:
        described["dilation"] = float(way.dilation)
    return described
