"""Segment faces and occlude one part at a time in every photo.

Writes a mask and an occluded photo for each photo and part, one folder per part. If you run it again, it skips photos
whose outputs exist.

Values of a list are separated by spaces or commas: --parts eyes nose, or --parts eyes,nose.
"""

import argparse
from functools import partial

from facepart.cli.hardware_options import add_hardware_arguments, hardware_of
from facepart.cli.occlusion_options import METHODS, add_parts_argument, add_parts_table
from facepart.cli.parser_options import add_labels_argument, add_parser_arguments
from facepart.cli.photo_options import add_align_argument, add_source_argument
from facepart.cli.run_summary import print_last_line, run_stage, several_faces
from facepart.counts import count_of
from facepart.files.addresses import reachable
from facepart.occlusion.method import STANDARD, OcclusionMethod

EXAMPLES = (
    "facepart blur -s photos -m masks -d blurred",
    "facepart blur -s raw --align -m masks -d blurred --parts eyes nose eyes+nose",
    "facepart blur -s photos -m masks -d grey --occlusion grey",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart blur``."""
    parser.usage = "%(prog)s -s IMAGES -m MASKS -d BLURRED [options]"
    group = parser.add_argument_group("input")
    add_source_argument(group, "IMAGES")
    add_align_argument(group)
    group = parser.add_argument_group("what to occlude")
    add_parts_argument(group)
    group.add_argument(
        "--occlusion",
        metavar="NAME",
        default=STANDARD.occluder,
        help=f"occlusion method, one of: {METHODS} (default: %(default)s)",
    )
    add_parser_arguments(group, "--model")
    add_labels_argument(group)
    add = parser.add_argument_group("output").add_argument
    add(
        *("-m", "--maskdest"),
        type=reachable,
        required=True,
        metavar="MASKS",
        help="folder of the masks: MASKS/mask_<part>/<photo>_annotation.png, 512x512",
    )
    add(
        *("-d", "--finaldest"),
        type=reachable,
        required=True,
        metavar="BLURRED",
        help="folder of the occluded photos: BLURRED/blurred_<part>/<photo>.png, whatever the occlusion method",
    )
    add(
        "--format",
        choices=["png", "same"],
        default="png",
        help="format of the occluded photos: png (lossless), or same as the photo (default: png)",
    )
    add("--save-labels", action="store_true", help="also write the 19-class label maps, to MASKS/labels")
    add("--overwrite", action="store_true", help="overwrite existing outputs")
    add_hardware_arguments(parser)
    add_parts_table(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart blur``; return the exit status."""
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.pipeline.blur import blur_photos

    stage = partial(
        blur_photos,
        arguments.source,
        arguments.maskdest,
        arguments.finaldest,
        parts=arguments.parts,
        parts_file=arguments.parts_file,
        method=OcclusionMethod(arguments.occlusion),
        align=arguments.align,
        model=arguments.parser,
        labels=arguments.labels,
        label_set=arguments.label_set,
        image_format=arguments.format,
        save_labels=arguments.save_labels,
        overwrite=arguments.overwrite,
        **hardware_of(arguments),
    )
    outcome = run_stage("blur", stage, arguments, arguments.device)
    if outcome.several:
        print(several_faces(outcome.several, arguments.finaldest))
    for part, photos in sorted(outcome.undetected.items()):
        print(f"{part} not detected ({count_of(photos, 'photo')}): written unchanged, see parts.csv")
    if outcome.succeeded:
        print(f"share of each photo that each part covers: {arguments.finaldest / 'parts.csv'}")
    return print_last_line("blurred", outcome, arguments.finaldest)
