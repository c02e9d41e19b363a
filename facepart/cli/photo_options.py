"""The options that say which photos a command reads."""

import argparse

from facepart.files.addresses import reachable


def add_source_argument(group: argparse._ArgumentGroup, metavar: str) -> None:
    """Add ``-s``; `metavar` is its value's name in the help."""
    group.add_argument(
        *("-s", "--source"),
        type=reachable,
        required=True,
        metavar=metavar,
        help="folder of photos, searched recursively, or a list of photos, one path per line",
    )


def add_align_argument(group: argparse._ArgumentGroup) -> None:
    """Add ``--align``."""
    group.add_argument(
        "--align",
        action="store_true",
        help="detect the faces and align them to the ArcFace template by five landmarks; use it unless the photos "
        "are already aligned crops",
    )
