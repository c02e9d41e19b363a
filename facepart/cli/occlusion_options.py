"""The options that say what is occluded, and how."""

import argparse

from facepart.cli.list_action import ListAction
from facepart.files.addresses import reachable
from facepart.occlusion.parts import PARTS, parts_table

# For the help of --occlusion: every method of facepart.occlusion.method.OCCLUDERS.
METHODS = (
    "blur (box filter, as in the original study), mean (mean colour of the photo), grey, noise (random pixels), "
    "pixelate (mosaic), inpaint (filled in from the surrounding pixels), average (the average face of a "
    "study; not available in `facepart blur`)"
)


_TABLE_TITLE = """\
parts and the label-map classes they comprise (left and right: the person's;
parsers confuse them, so left_eye is every eye pixel, of either class, on the
left side of the face):"""


def add_parts_argument(group: argparse._ArgumentGroup) -> None:
    """Add ``--parts`` and ``--parts-file``; the command's help needs :func:`add_parts_table` as well."""
    group.add_argument(
        "--parts",
        action=ListAction,
        default=list(PARTS),
        metavar="PART",
        help="parts to occlude, one at a time, or unions such as eyes+nose; see the table below (default: those of "
        f"the original study, {' '.join(PARTS)})",
    )
    group.add_argument(
        "--parts-file",
        type=reachable,
        metavar="TOML",
        help="file of parts of your own, which --parts may name (default: none)",
    )


def add_parts_table(parser: argparse.ArgumentParser) -> None:
    """End the help of a command with the table of parts, after what it ends with already."""
    before = f"{parser.epilog}\n\n" if parser.epilog else ""
    parser.epilog = f"{before}{_TABLE_TITLE}\n{parts_table()}"
