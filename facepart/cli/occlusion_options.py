"""The options that say what is occluded, and how."""

import argparse

from facepart.cli.list_action import ListAction
from facepart.occlusion.parts import PARTS

# For the help of --occlusion: every method of facepart.occlusion.method.OCCLUDERS.
METHODS = (
    "blur (box filter, as in the original study), mean (mean colour of the photo), grey, noise (random pixels), "
    "pixelate (mosaic), inpaint (filled in from the pixels around)"
)


def add_parts_argument(group: argparse._ArgumentGroup) -> None:
    """Add ``--parts``."""
    group.add_argument(
        "--parts",
        action=ListAction,
        default=list(PARTS),
        metavar="PART",
        help=f"parts to occlude, one at a time: {' '.join(PARTS)}; eyes_brows includes eyeglasses, eyes does not "
        "(default: all)",
    )
