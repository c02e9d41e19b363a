"""A few photos with each part occluded, as data for ``templates/photos.html``."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from facepart.report.outlines import outlined_picture, shrink
from facepart.report.report_data import ExamplePhoto, ReportData
from facepart.report.templating import describe

# Pixels of the longer side; a picture is shown about 130 wide.
_LONGEST = 176
# A mask's outline lies where it covers half of a pixel of the shrunken picture.
_HALF = 128


@dataclass(frozen=True)
class SheetRow:
    """A photo: a cell for the baseline and for each part, with a second picture if there is a control region."""

    subject: str
    cells: Sequence[Sequence[Markup]]


@dataclass(frozen=True)
class ContactSheet:
    """The photos, and whether any has control regions."""

    rows: Sequence[SheetRow]
    controlled: bool


def contact_sheet(data: ReportData) -> ContactSheet:
    """Draw the example photos, with the outlines of the masks."""
    rows = [
        SheetRow(example.subject, [[_baseline(example)], *(_occluded(example, part) for part in data.parts)])
        for example in data.examples
    ]
    return ContactSheet(rows, any(example.controls for example in data.examples))


def _baseline(example: ExamplePhoto) -> Markup:
    text = describe("baseline_photo", subject=example.subject)
    return outlined_picture(shrink(example.photo, _LONGEST), None, text)


def _occluded(example: ExamplePhoto, part: str) -> list[Markup]:
    pictures = []
    if part in example.occluded:
        pictures.append(_outlined(example, part, example.occluded[part], example.masks.get(part), control=False))
    if part in example.controls:
        control = example.controls[part]
        pictures.append(_outlined(example, part, control, example.control_masks.get(part), control=True))
    return pictures


def _outlined(
    example: ExamplePhoto, part: str, photo: NDArray[np.uint8], mask: NDArray[np.uint8] | None, *, control: bool
) -> Markup:
    """Draw an occluded photo; `mask` is uint8 (h, w), 255 where it is occluded."""
    share = 0.0 if mask is None else float((mask >= _HALF).mean())
    text = describe("occluded_photo", subject=example.subject, part=part, control=control, share=share)
    inside = shrink(mask, _LONGEST) >= _HALF if mask is not None and share else None
    return outlined_picture(shrink(photo, _LONGEST), inside, text)
