"""The contact sheet: a few photos, each with every part lost, and the outlines of the masks.

With a control, the photo with another place of the same size lost stands below.
"""

import numpy as np
from numpy.typing import NDArray

from facepart.report.content import Content, Sample
from facepart.report.markup import DASH, escape, part_name, table
from facepart.report.outlines import outlined_picture, shrink

# Pixels of the longer side; a picture is shown about 130 wide.
_LONGEST = 176
# A mask's outline lies where it covers half of a pixel of the shrunken picture.
_HALF = 128


def contact_sheet(content: Content) -> str:
    """Make a table of pictures: a row a photo, a column a part."""
    controlled = any(sample.controls for sample in content.samples)
    rows = [
        # A name may break after an underscore.
        [
            escape(sample.name).replace("_", "_<wbr>"),
            _original(sample),
            *(_lost(sample, part) + (_control(sample, part) if controlled else "") for part in content.parts),
        ]
        for sample in content.samples
    ]
    return table(
        ["person", "original", *(escape(part_name(part)) for part in content.parts)],
        rows,
        "Photos with each part lost; the line marks the mask as it was found, before it was widened and softened."
        + (" Below: one draw of its control, as much lost elsewhere." if controlled else ""),
        "sheet",
    )


def _original(sample: Sample) -> str:
    return outlined_picture(shrink(sample.photo, _LONGEST), None, f"{sample.name}, the original photo.")


def _lost(sample: Sample, part: str) -> str:
    if part not in sample.blurred:
        return DASH
    return _outlined(sample.blurred[part], sample.masks.get(part), f"{sample.name}, {part_name(part)}")


def _control(sample: Sample, part: str) -> str:
    if part not in sample.controls:
        return ""
    mask = sample.control_masks.get(part)
    return _outlined(sample.controls[part], mask, f"{sample.name}, control of {part_name(part)}")


def _outlined(photo: NDArray[np.uint8], mask: NDArray[np.uint8] | None, named: str) -> str:
    """Show a photo of which a place is lost; `mask` is uint8 (h, w), 255 there."""
    share = 0.0 if mask is None else float((mask >= _HALF).mean())
    if mask is None or not share:
        return outlined_picture(shrink(photo, _LONGEST), None, f"{named} not found in this photo.")
    text = f"{named}, which covers {share:.1%} of the photo, lost and outlined."
    return outlined_picture(shrink(photo, _LONGEST), shrink(mask, _LONGEST) >= _HALF, text)
