"""A picture with the outline of a part drawn over it, as SVG: lines stay sharp at any size, and can be hidden."""

import cv2
import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from facepart.report.formatting import data_uri

# Points of an outline nearer than this to a straight line are left out; pixels of the picture as stored.
_TOLERANCE = 0.6


def outlined_picture(photo: NDArray[np.uint8], mask: NDArray[np.bool_] | None, text: str) -> Markup:
    """Make an SVG picture of a photo and the outline of a mask.

    Args:
        photo: uint8 (h, w, 3), RGB.
        mask: (h, w), true inside the part; None for no outline.
        text: what it shows, for those who do not see it.
    """
    height, width = photo.shape[:2]
    drawn = outline(mask) if mask is not None else ""
    # A dark line under a light one: seen on light and on dark skin.
    lines = f'<path class="halo" d="{drawn}"/><path class="outline" d="{drawn}"/>' if drawn else ""
    return Markup(  # noqa: S704 - the text is escaped
        f'<svg class="picture" role="img" viewBox="0 0 {width} {height}"><title>{escape(text)}</title>'
        f'<image width="{width}" height="{height}" href="{data_uri(photo)}"/>{lines}</svg>'
    )


def outline(mask: NDArray[np.bool_]) -> str:
    """Trace a mask, holes included, as the data of an SVG path; one unit is a pixel.

    Args:
        mask: (h, w).

    Returns:
        Nothing for an empty mask.
    """
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    pieces = []
    for contour in found:
        points = cv2.approxPolyDP(contour, _TOLERANCE, True).reshape(-1, 2)
        if len(points) > 2:
            # OpenCV gives the middles of pixels as whole numbers; in SVG, these lie on the pixels' corners.
            pieces.append("M" + " ".join(f"{x + 0.5:g} {y + 0.5:g}" for x, y in points.tolist()) + "z")
    return "".join(pieces)


def shrink(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Scale a picture or mask down until its longer side is at most `longest` pixels; smaller ones stay."""
    height, width = pixels.shape[:2]
    if max(height, width) <= longest:
        return pixels
    scale = longest / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
