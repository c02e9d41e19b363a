"""Extract the embedding of every photo with an ArcFace recogniser: one .npy a photo, and a list of them."""

import argparse

from facepart.cli.engine import add_engine_arguments, profile
from facepart.cli.progress import progress_bar, report
from facepart.cli.ray import add_ray_argument, executor_for
from facepart.files.addresses import reachable
from facepart.files.progress import StepTimes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart extract``."""
    parser.add_argument(
        "-s", "--source", type=reachable, required=True, metavar="IMAGES", help="folder of photos, or a list of them"
    )
    parser.add_argument(
        "-d", "--dest", type=reachable, required=True, metavar="FEATURES", help="folder for <photo>.npy and list.txt"
    )
    parser.add_argument(
        "--model",
        metavar="NAME|PATH",
        help="the recogniser: a name of `facepart models list`, an .onnx file, an MXNet checkpoint (prefix,epoch or "
        "its folder), or an arcface_torch state dict (default: arcface-r100 where its weights are, else faceplugin)",
    )
    parser.add_argument("--flip", action="store_true", help="average with the mirrored face")
    parser.add_argument(
        "--align", action="store_true", help="find the face and warp it to the ArcFace template by five landmarks"
    )
    parser.add_argument(
        "--matrix",
        action="store_true",
        help="write one features.npy (n, d) with labels.txt instead of a file a photo; `match -p` takes it",
    )
    parser.add_argument("--overwrite", action="store_true", help="extract photos again whose features are there")
    add_ray_argument(parser)
    add_engine_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart extract``; return the exit status."""
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.pipeline.extract import extract_features

    times = StepTimes()
    with executor_for(arguments.ray, arguments.device) as executor, progress_bar("extract") as progress:
        outcome = extract_features(
            arguments.source,
            arguments.dest,
            model=arguments.model,
            device=arguments.device,
            precision=arguments.precision,
            flip=arguments.flip,
            align=arguments.align,
            matrix=arguments.matrix,
            overwrite=arguments.overwrite,
            batch=arguments.batch_size,
            workers=arguments.workers,
            executor=executor,
            progress=progress,
            times=times,
        )
    if arguments.profile:
        print(profile(times, outcome.done))
    print(f"recogniser: {outcome.model}")
    if outcome.succeeded:
        print(f"features to match: {outcome.features_list}")
    return report("extracted", outcome, arguments.dest)
