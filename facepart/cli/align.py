"""Find the face in every photo, and align it to the ArcFace template by five landmarks.

Writes one PNG per photo, the crop that `facepart study --align` works on, and faces.csv: how many faces were found in
each photo, the detection score and the landmarks of the chosen face. Of several faces, the largest near the centre is
chosen. If you run it again, it skips photos whose crops exist.

To correct a face, edit the landmarks in a copy of faces.csv, and give it with --landmarks.
"""

import argparse
import logging
from functools import partial

from facepart.cli.command_parser import positive
from facepart.cli.hardware_options import add_worker_arguments
from facepart.cli.photo_options import add_source_argument
from facepart.cli.run_summary import print_last_line, run_stage, several_faces
from facepart.counts import are, count_of
from facepart.files.addresses import reachable

# OpenCV warps to no more than 32767 pixels; a crop of a face has no use for so many.
_LEAST, _MOST = 32, 4096
# facepart.networks.alignment.CROP_SIZE; the help does not wait for OpenCV.
_SIZE = 224


EXAMPLES = (
    "facepart align -s raw -d photos",
    "facepart align -s raw -d photos --landmarks corrected.csv",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart align``."""
    parser.usage = "%(prog)s -s PHOTOS -d ALIGNED [options]"
    group = parser.add_argument_group("input")
    add_source_argument(group, "PHOTOS")
    group.add_argument(
        "--landmarks",
        type=reachable,
        metavar="CSV",
        help="take the landmarks of the photos in this table, which has the columns of faces.csv; faces of all other "
        "photos are detected (default: all faces are detected)",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        *("-d", "--dest"),
        type=reachable,
        required=True,
        metavar="ALIGNED",
        help="folder of the crops, ALIGNED/<photo>.png, and of faces.csv",
    )
    group.add_argument(
        "--size",
        type=_crop_size,
        default=_SIZE,
        metavar="N",
        help="side of the crops in pixels (default: %(default)s, as in a study)",
    )
    group.add_argument("--overwrite", action="store_true", help="overwrite existing outputs")
    add_worker_arguments(parser.add_argument_group("hardware"), "threads")


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart align``; return the exit status."""
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.networks.face_parser import MIN_SIDE
    from facepart.pipeline.align import align_photos
    from facepart.pipeline.faces_table import FACES_FILE

    stage = partial(
        align_photos,
        arguments.source,
        arguments.dest,
        size=arguments.size,
        landmarks=arguments.landmarks,
        overwrite=arguments.overwrite,
        workers=arguments.workers,
    )
    outcome = run_stage("align", stage, arguments, "cpu")
    table = arguments.dest / FACES_FILE
    if outcome.given:
        print(f"landmarks from {arguments.landmarks}: {count_of(outcome.given, 'photo')}")
    if outcome.unused:
        logging.getLogger(__name__).warning(
            "%s: %s not found in %s, first: %s",
            arguments.landmarks,
            f"{count_of(len(outcome.unused), 'photo')} {are(len(outcome.unused))}",
            arguments.source,
            outcome.unused[0],
        )
    if outcome.several:
        print(several_faces(outcome.several, arguments.dest))
    if outcome.small:
        logging.getLogger(__name__).warning(
            "%s smaller than %d pixels on a side: part masks of such faces are unreliable (see side in %s)",
            f"{count_of(outcome.small, 'face')} {are(outcome.small)}",
            MIN_SIDE,
            table,
        )
    if outcome.succeeded:
        print(f"faces: {table}")
    return print_last_line("aligned", outcome, arguments.dest)


def _crop_size(text: str) -> int:
    """Parse the side of a crop, the type of an option."""
    size = positive(text)
    if not _LEAST <= size <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of pixels from {_LEAST} to {_MOST}")
    return size
