"""A few photos with each part occluded, as data for ``templates/photos.html``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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


class SheetCell(NamedTuple):
    """A picture, and what is said under it: that the part was not detected, or has no control there."""

    picture: Markup
    note: str


@dataclass(frozen=True)
class SheetRow:
    """A photo: pictures of the baseline and of each part; with a control, patches or keep-only also of these."""

    subject: str
    cells: Sequence[Sequence[SheetCell]]


@dataclass(frozen=True)
class ContactSheet:
    """The photos, and what is shown below each part, for readers."""

    rows: Sequence[SheetRow]
    below: Sequence[str]


def contact_sheet(data: ReportData) -> ContactSheet:
    """Draw the example photos, with the outlines of the masks."""
    rows = [
        SheetRow(
            example.subject,
            [[_baseline(example)], *(_occluded(example, part, data.label(part)) for part in data.parts)],
        )
        for example in data.examples
    ]
    shown = {
        "its equal-area patch": any(example.patches for example in data.examples),
        "the part alone": any(example.kept for example in data.examples),
        "one position of its control": any(example.controls for example in data.examples),
    }
    return ContactSheet(rows, [name for name, any_shown in shown.items() if any_shown])


def _baseline(example: ExamplePhoto) -> SheetCell:
    text = describe("baseline_photo", subject=example.subject)
    return SheetCell(outlined_picture(shrink(example.photo, _LONGEST), None, text), "")


def _occluded(example: ExamplePhoto, part: str, label: str) -> list[SheetCell]:
    """Draw a photo with a part occluded, then what is below; of a part that was not found only itself."""
    kinds = (
        ("part", example.occluded, example.masks),
        ("patch", example.patches, example.patch_masks),
        ("keep_only", example.kept, example.masks),
        ("control", example.controls, example.control_masks),
    )
    cells = [
        _outlined(example, label, kind, photos[part], masks.get(part))
        for kind, photos, masks in kinds
        if part in photos
    ]
    return cells[:1] if cells and cells[0].note else cells


def _outlined(
    example: ExamplePhoto, label: str, kind: str, photo: NDArray[np.uint8], mask: NDArray[np.uint8] | None
) -> SheetCell:
    """Draw an occluded photo; `mask` is uint8 (h, w), 255 where it is occluded, or alone left."""
    share = 0.0 if mask is None else float((mask >= _HALF).mean())
    text = describe("occluded_photo", subject=example.subject, part=label, kind=kind, share=share)
    inside = shrink(mask, _LONGEST) >= _HALF if mask is not None and share else None
    note = "" if share else describe("not_occluded", kind=kind)
    return SheetCell(outlined_picture(shrink(photo, _LONGEST), inside, text), note)
