"""Segment faces with BiSeNet and blur one part at a time: masks and blurred photos, one folder a part.

Instead of a blur, --occlusion puts something else in the part's place.
"""

import argparse

from facepart.cli.engine import add_engine_arguments, profile
from facepart.cli.progress import progress_bar, report
from facepart.cli.ray import add_ray_argument, executor_for
from facepart.files.addresses import reachable
from facepart.files.progress import StepTimes
from facepart.occlusion.method import OCCLUDERS, STANDARD, OcclusionMethod
from facepart.occlusion.parts import PARTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart blur``."""
    parser.add_argument(
        "-s", "--source", type=reachable, required=True, metavar="IMAGES", help="folder of photos, or a list of them"
    )
    parser.add_argument(
        "-m",
        "--maskdest",
        type=reachable,
        required=True,
        metavar="MASKS",
        help="folder for the masks: mask_<part>/<photo>_annotation.png, 512x512",
    )
    parser.add_argument(
        "-d",
        "--finaldest",
        type=reachable,
        required=True,
        metavar="BLURRED",
        help="folder for the photos: blurred_<part>/<photo>.png",
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        default=list(PARTS),
        metavar="PART",
        help=f"which parts, one or more of: {' '.join(PARTS)} (default: all)",
    )
    parser.add_argument(
        "--occlusion",
        metavar="NAME",
        default=STANDARD.occluder,
        help=f"what takes the part's place: {', '.join(OCCLUDERS)} (default: %(default)s)",
    )
    parser.add_argument("--model", metavar="NAME|PATH", help="the parser (default: bisenet-resnet18)")
    parser.add_argument(
        "--format",
        choices=["png", "same"],
        default="png",
        help="write blurred photos as PNG, lossless, or in the photo's own format (default: png)",
    )
    parser.add_argument(
        "--save-labels", action="store_true", help="also write the 19-class label maps to MASKS/labels"
    )
    parser.add_argument("--overwrite", action="store_true", help="do photos again whose outputs are there")
    add_ray_argument(parser)
    add_engine_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart blur``; return the exit status."""
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.networks.catalogue import DEFAULT_PARSER
    from facepart.pipeline.blur import blur_photos

    times = StepTimes()
    with executor_for(arguments.ray, arguments.device) as executor, progress_bar("blur") as progress:
        outcome = blur_photos(
            arguments.source,
            arguments.maskdest,
            arguments.finaldest,
            parts=[name for names in arguments.parts for name in names.split(",")],
            method=OcclusionMethod(arguments.occlusion),
            model=arguments.model or DEFAULT_PARSER,
            device=arguments.device,
            precision=arguments.precision,
            image_format=arguments.format,
            save_labels=arguments.save_labels,
            overwrite=arguments.overwrite,
            batch=arguments.batch_size,
            workers=arguments.workers,
            executor=executor,
            progress=progress,
            times=times,
        )
    if arguments.profile:
        print(profile(times, outcome.done))
    for part, photos in sorted(outcome.undetected.items()):
        print(f"no {part} found in {photos} photo{'' if photos == 1 else 's'}: written unchanged, see parts.csv")
    return report("blurred", outcome, arguments.finaldest)
