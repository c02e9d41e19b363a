"""Segment faces: write a label map of 19 classes for each photo.

The label maps are indexed PNG files, LABELS/<photo>.png, which `blur --labels` and `study --labels` read. If you
run it again, it skips photos whose label maps exist. With --against, it compares them with other label maps, such
as annotated ones, and writes the intersection over union (IoU) of every class and part to LABELS/iou.csv.
"""

import argparse
from functools import partial

from facepart.cli.hardware_options import add_hardware_arguments, hardware_of
from facepart.cli.parser_options import LABEL_SET_NAMES, add_parser_arguments
from facepart.cli.photo_options import add_source_argument
from facepart.cli.run_summary import print_last_line, run_stage
from facepart.counts import count_of
from facepart.files.addresses import reachable

EXAMPLES = (
    "facepart parse -s photos -o maps",
    "facepart parse -s photos -o maps --against annotated --against-label-set lapa",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart parse``."""
    parser.usage = "%(prog)s -s PHOTOS -o LABELS [options]"
    add_source_argument(parser.add_argument_group("input"), "PHOTOS")
    add_parser_arguments(parser.add_argument_group("face parser"))
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--against",
        type=reachable,
        metavar="FOLDER",
        help="compare with the label maps FOLDER/<photo>.png (default: no comparison)",
    )
    group.add_argument(
        "--against-label-set",
        metavar="NAME|TOML",
        help=f"class order of the label maps in FOLDER: {LABEL_SET_NAMES} (default: bisenet)",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        *("-o", "--output"),
        type=reachable,
        required=True,
        metavar="LABELS",
        help="folder of the label maps: LABELS/<photo>.png, 512x512",
    )
    group.add_argument("--overwrite", action="store_true", help="overwrite existing label maps")
    add_hardware_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart parse``; return the exit status."""
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.pipeline.parse import IOU_FILE, parse_photos

    stage = partial(
        parse_photos,
        arguments.source,
        arguments.output,
        parser=arguments.parser,
        label_set=arguments.label_set,
        against=arguments.against,
        against_label_set=arguments.against_label_set,
        overwrite=arguments.overwrite,
        **hardware_of(arguments),
    )
    outcome = run_stage("parse", stage, arguments, arguments.device)
    if outcome.agreement:
        print(f"{'':8}{'name':18}{'IoU':>7}{'photos':>9}")
        for kind, overlaps in (("class", outcome.agreement.classes), ("part", outcome.agreement.parts)):
            for name, each in overlaps.items():
                iou = f"{each.iou:.3f}" if each.union else "-"
                print(f"{kind:8}{name:18}{iou:>7}{each.photos:>9}")
        compared = count_of(outcome.agreement.photos, "photo")
        others = f"; {count_of(outcome.uncompared, 'photo')} without a label map there" if outcome.uncompared else ""
        print(f"compared {compared} with {arguments.against}: {arguments.output / IOU_FILE}{others}")
    return print_last_line("parsed", outcome, arguments.output)
