"""Draw the picture of docs/by-hand.md, how each part is blurred step by step: python docs/steps_picture.py steps.jpg.

A row for each part: its mask, the mask dilated and softened, the face, the face blurred throughout, and the two
blended by the softened mask. The photograph is the official portrait of Barack Obama (Pete Souza, 2012), a work of
the United States government and so in the public domain; it is among the demo's photographs.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facepart.data.photo_input import read_photo
from facepart.demo.faces import CAPTURE_SIZE
from facepart.demo.photographs import fetch_photographs
from facepart.networks.alignment import align_photo
from facepart.networks.catalogue import DEFAULT_PARSER, DETECTOR, obtain
from facepart.networks.face_detector import FaceDetector
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.occlusion.method import STANDARD
from facepart.occlusion.occlude import occlude_parts
from facepart.occlusion.parts import PARTS, part_mask
from facepart.occlusion.recipe import SIGMA, box_side, growth, scale_of
from facepart.occlusion.replace import blur
from facepart.occlusion.soften import soften_layers

PHOTO = "obama.jpg"

# A Gaussian as narrow as this has a single weight: the mask stays as it is.
_NO_SOFTENING = 0.1

Image = NDArray[np.uint8]


def blur_steps(face: Image, mask: Image, part: str) -> dict[str, Image]:
    """Blur one part, and keep what each step makes.

    Args:
        face: uint8 (h, w, 3), RGB.
        mask: the part's mask from the parser, uint8 (512, 512), 0 or 255.
        part: a key of :data:`facepart.occlusion.parts.PARTS`.

    Returns:
        Name of the step -> uint8 (h, w) for masks, uint8 (h, w, 3) for faces, in the order in which they are made.
    """
    height, width = face.shape[:2]
    radius, sigma = growth(PARTS[part].dilations, height, width), SIGMA * scale_of(height, width)

    def soften(radius: int, sigma: float) -> Image:
        return soften_layers([(mask, radius)], sigma, height, width).whole(height, width)

    return {
        "mask": soften(0, _NO_SOFTENING),
        "dilated": soften(radius, _NO_SOFTENING),
        "softened": soften(radius, sigma),
        "face": face,
        "blurred face": blur(face, box_side(STANDARD, height, width)),
        "result": occlude_parts(face, {part: mask}, STANDARD)[part].photo,
    }


def parse_portrait() -> tuple[Image, Image]:
    """Fetch the photograph, align the face and parse it.

    Returns:
        The face, uint8 (224, 224, 3), RGB, and its label map, uint8 (512, 512).
    """
    path = next(path for path in fetch_photographs() if path.name == PHOTO)
    face = align_photo(read_photo(path), FaceDetector(obtain(DETECTOR, "detector").path), CAPTURE_SIZE)
    parser = open_parser(obtain(DEFAULT_PARSER, "parser").path, device="cpu", precision="fp32")
    return face, parser(fit_photo(face)[None])[0]


def draw(face: Image, labels: Image) -> Figure:
    """Draw the picture: a row for each part, a column for each step."""
    rows = {part: blur_steps(face, part_mask(labels, PARTS[part]), part) for part in PARTS}
    figure = Figure(figsize=(9.2, 10.1), dpi=120, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(len(rows), len(next(iter(rows.values()))))
    for axes, (part, steps) in zip(grid, rows.items(), strict=True):
        dilation = growth(PARTS[part].dilations, *face.shape[:2])
        note = f"dilated by {dilation} px" if dilation else "not dilated"
        axes[0].set_ylabel(f"{part.replace('_', ' + ')}\n{note}", fontsize=10)
        for each, (step, image) in zip(axes, steps.items(), strict=True):
            each.imshow(image, cmap="grey", vmin=0, vmax=255)
            each.set(xticks=[], yticks=[])
            if part == next(iter(rows)):
                each.set_title(step, fontsize=11)
    return figure


if __name__ == "__main__":
    draw(*parse_portrait()).savefig(Path(sys.argv[1]), pil_kwargs={"quality": 80})
