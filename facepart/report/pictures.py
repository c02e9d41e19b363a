"""The contact sheet: a few photos, each with every part blurred, and the outlines of the masks."""

from facepart.report.content import Content, Sample
from facepart.report.markup import DASH, escape, part_name, table
from facepart.report.outlines import outlined_picture, shrink

# Pixels of the longer side; a picture is shown about 130 wide.
_LONGEST = 176
# A mask's outline lies where it covers half of a pixel of the shrunken picture.
_HALF = 128


def contact_sheet(content: Content) -> str:
    """Make a table of pictures: a row a photo, a column a part."""
    rows = [
        # A name may break after an underscore.
        [
            escape(sample.name).replace("_", "_<wbr>"),
            _original(sample),
            *(_blurred(sample, part) for part in content.parts),
        ]
        for sample in content.samples
    ]
    return table(
        ["person", "original", *(escape(part_name(part)) for part in content.parts)],
        rows,
        "Photos with each part blurred; the line marks the mask as it was found, before it was widened and softened.",
        "sheet",
    )


def _original(sample: Sample) -> str:
    return outlined_picture(shrink(sample.photo, _LONGEST), None, f"{sample.name}, the original photo.")


def _blurred(sample: Sample, part: str) -> str:
    if part not in sample.blurred:
        return DASH
    mask, covered = None, "not found in this photo"
    if part in sample.masks:
        found = shrink(sample.masks[part], _LONGEST) >= _HALF
        share = float((sample.masks[part] >= _HALF).mean())
        if share:
            mask, covered = found, f"which covers {share:.1%} of the photo, blurred and outlined"
    return outlined_picture(
        shrink(sample.blurred[part], _LONGEST), mask, f"{sample.name}, {part_name(part)} {covered}."
    )
