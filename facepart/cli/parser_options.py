"""The options that say where label maps come from."""

import argparse

from facepart.files.addresses import reachable
from facepart.networks.catalogue.entries import DEFAULT_PARSER

# The names in facepart.networks.label_sets, which loads NumPy.
LABEL_SET_NAMES = (
    "bisenet (used by facepart's own parsers and by `facepart parse`), celebamask-hq (used by that data set and by "
    "SegFormer face parsers), lapa, or a TOML file that lists the classes in order"
)


def add_parser_arguments(group: argparse._ArgumentGroup, *further_names: str) -> None:
    """Add ``--parser``, which may have further names, and ``--label-set``."""
    group.add_argument(
        *("--parser", *further_names),
        metavar="NAME|PATH",
        help="face parser: a name from `facepart models list`, or the path of its weights: a BiSeNet checkpoint, or "
        f"an ONNX file of any face parser (default: {DEFAULT_PARSER})",
    )
    group.add_argument(
        "--label-set",
        metavar="NAME|TOML",
        help=f"class order of the label maps, or of the parser's output channels: {LABEL_SET_NAMES} "
        "(default: as the parser's config.json says, else bisenet)",
    )


def add_labels_argument(group: argparse._ArgumentGroup) -> None:
    """Add ``--labels``."""
    group.add_argument(
        "--labels",
        type=reachable,
        metavar="FOLDER",
        help="read label maps, such as manual annotations, instead of parsing: FOLDER/<photo>.png, indexed or "
        "greyscale, same size as the photo or 512x512 (default: parse the photos)",
    )
