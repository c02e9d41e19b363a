"""Extract the embedding of every photo with an ArcFace recogniser: one .npy a photo, and a list of them.

The options of the original study's script are all taken; those that have no effect are named in one line.
"""

import argparse
import logging
import re

from facepart.cli.engine import add_engine_arguments, profile
from facepart.cli.progress import progress_bar, report
from facepart.cli.ray import add_ray_argument, executor_for
from facepart.data.resize import Size
from facepart.errors import UsageError
from facepart.files.addresses import reachable
from facepart.files.progress import StepTimes

# Options of the original script on which its features do not depend either, and what they are there.
_WITHOUT_EFFECT = {
    "--det": "mode of the original's face detector",
    "--threshold": "distance up to which it takes two faces for one subject",
    "--ga-model": "its network for gender and age",
    "--gender_model": "its network for gender",
}

_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart extract``."""
    parser.add_argument(
        "-s", "--source", type=reachable, required=True, metavar="IMAGES", help="folder of photos, or a list of them"
    )
    parser.add_argument(
        "-d",
        "--dest",
        type=reachable,
        required=True,
        metavar="FEATURES",
        help="folder for list.txt and <photo>.npy: the photo's path below IMAGES or, for a list, "
        "<photo's folder>/<name>.npy",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|PATH",
        help="the recogniser: a name of `facepart models list`, an .onnx file, an MXNet checkpoint (prefix,epoch or "
        "its folder), or an arcface_torch state dict (default: arcface-r100 where its weights are, else faceplugin); "
        "a relative prefix,epoch may also start at face_matching/ or insightface/deploy/, as the original's did",
    )
    parser.add_argument(
        "--image-size",
        type=_image_size,
        metavar="H,W",
        help="what the network gets, for networks that take any size; photos of other proportions fail (default: the "
        "network's own size, to which all photos are resized; 112,112 for networks that take any)",
    )
    parser.add_argument(
        "--flip",
        nargs="?",
        type=int,
        choices=(0, 1, 2),
        const=1,
        default=0,
        help="average with the mirrored face; as a number, 0: no, 1 or 2: yes, as in insightface, where every number "
        "but 0 adds the mirrored face (default: 0)",
    )
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
    parser.set_defaults(device=None)  # so that a device that was asked for shows
    original = parser.add_argument_group("options of the original script")
    original.add_argument(
        "--gpu",
        type=int,
        metavar="N",
        help="the same as --device cuda:N; the CPU if N is negative or there is no CUDA device",
    )
    for option, meaning in _WITHOUT_EFFECT.items():
        original.add_argument(option, metavar="X", help=f"accepted without effect: {meaning}")


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart extract``; return the exit status."""
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.pipeline.extract import extract_features

    device = _choose_device(arguments)
    _warn_of_options_without_effect(arguments)
    times = StepTimes()
    with executor_for(arguments.ray, device) as executor, progress_bar("extract") as progress:
        outcome = extract_features(
            arguments.source,
            arguments.dest,
            model=arguments.model,
            image_size=arguments.image_size,
            device=device,
            precision=arguments.precision,
            flip=arguments.flip > 0,
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


def _image_size(text: str) -> Size:
    """Read rows and columns, for an option."""
    found = re.fullmatch(r"0*([1-9]\d{0,4}),0*([1-9]\d{0,4})", text.replace(" ", ""))
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a height and a width in pixels, such as 112,112")
    return int(found[1]), int(found[2])


def _choose_device(arguments: argparse.Namespace) -> str:
    """Give the device that ``--device`` or ``--gpu`` asks for.

    Raises:
        UsageError: both are given, or ``--gpu`` with a cluster; or there is no such device.
    """
    number: int | None = arguments.gpu
    if number is None:
        return arguments.device or "auto"
    if arguments.device is not None:
        raise UsageError(
            f"--gpu {number} and --device {arguments.device} both choose the device; leave out one of them"
        )
    if arguments.ray is not None:
        raise UsageError("--gpu is a GPU of this machine; with --ray, give --device cuda or --device cpu")
    from facepart.networks.engine_choice import choose_gpu

    device = choose_gpu(number)
    if device == "cpu":
        reason = "is negative" if number < 0 else "needs CUDA, and PyTorch finds no CUDA device"
        _logger.warning("--gpu %d %s: the network runs on the CPU", number, reason)
    return device


def _warn_of_options_without_effect(arguments: argparse.Namespace) -> None:
    given = [option for option in _WITHOUT_EFFECT if getattr(arguments, option[2:].replace("-", "_")) is not None]
    if given:
        verb = "has" if len(given) == 1 else "have"
        _logger.warning("%s %s no effect here: features do not depend on it", ", ".join(given), verb)
