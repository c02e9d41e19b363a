"""A few photos with each part occluded, as data for ``templates/photos.html``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from facepart.report.outlines import outlined_picture, shrink
from facepart.report.report_data import ExamplePhoto, OccludedExample, ReportData, Shown
from facepart.report.templating import describe

# Pixels of the longer side; a picture is shown about 130 wide.
_LONGEST = 176
# A mask's outline lies where it covers half of a pixel of the shrunken picture.
_HALF = 128
# What is shown below a part, in this order.
_BELOW: dict[Shown, str] = {
    "patch": "its equal-area patch",
    "keep_only": "only the part",
    "control": "one position of its control",
}


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
    below = [text for kind, text in _BELOW.items() if any(example.occluded.get(kind) for example in data.examples)]
    return ContactSheet(rows, below)


def _baseline(example: ExamplePhoto) -> SheetCell:
    text = describe("baseline_photo", subject=example.subject)
    return SheetCell(outlined_picture(shrink(example.photo, _LONGEST), None, text), "")


def _occluded(example: ExamplePhoto, part: str, label: str) -> list[SheetCell]:
    """Draw a photo with a part occluded, then what is below; of a part that was not found only itself."""
    kinds: list[Shown] = ["part", *_BELOW]
    cells = [
        _outlined(example.subject, label, kind, example.occluded[kind][part])
        for kind in kinds
        if part in example.occluded.get(kind, {})
    ]
    return cells[:1] if cells and cells[0].note else cells


def _outlined(subject: str, label: str, kind: Shown, occluded: OccludedExample) -> SheetCell:
    """Draw an occluded photo with the outline of its mask."""
    photo, mask = occluded
    share = float((mask >= _HALF).mean())
    text = describe("occluded_photo", subject=subject, part=label, kind=kind, share=share)
    inside = shrink(mask, _LONGEST) >= _HALF if share else None
    note = "" if share else describe("not_occluded", kind=kind)
    return SheetCell(outlined_picture(shrink(photo, _LONGEST), inside, text), note)
