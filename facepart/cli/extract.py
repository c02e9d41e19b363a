"""Compute the face embedding of every photo.

Writes one .npy per photo (float32, L2 norm 1), and list.txt with their paths, which `facepart match -p` reads. If you
run it again, it skips photos whose embeddings exist.
"""

import argparse
import logging
import re
from functools import partial
from typing import TYPE_CHECKING

from facepart.cli.hardware_options import add_hardware_arguments, hardware_of
from facepart.cli.photo_options import add_align_argument, add_source_argument
from facepart.cli.run_summary import print_last_line, run_stage, several_faces
from facepart.errors import UsageError
from facepart.files.addresses import reachable

if TYPE_CHECKING:
    from facepart.data.resize import Size

# Options of the original script on which its features do not depend either, and what they are there.
_WITHOUT_EFFECT = {
    "--det": "mode of the face detector",
    "--threshold": "largest distance of two faces of one subject",
    "--ga-model": "network for gender and age",
    "--gender_model": "network for gender",
}

_logger = logging.getLogger(__name__)


EXAMPLES = (
    "facepart extract -s photos -d features/baseline",
    "facepart extract -s raw --align -d features/baseline --model sface",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart extract``."""
    parser.usage = "%(prog)s -s IMAGES -d FEATURES [options]"
    group = parser.add_argument_group("input")
    add_source_argument(group, "IMAGES")
    add_align_argument(group)
    add = parser.add_argument_group("recogniser").add_argument
    add(
        "--model",
        metavar="NAME|PATH",
        help="recogniser: a name from `facepart models list`, an .onnx file, an MXNet checkpoint (prefix,epoch or "
        "its folder) or an arcface_torch state dict; a relative prefix,epoch may also start at face_matching/ or "
        "insightface/deploy/, as in the original script (default: that of the earlier run in FEATURES, else "
        "arcface-r100 if its weights are found, else sface)",
    )
    add(
        "--image-size",
        type=_image_size,
        metavar="H,W",
        help="input size, for a network that accepts any size; photos of other proportions fail (default: the "
        "network's own size, or 112,112 if it accepts any; photos are resized to it)",
    )
    add(
        "--flip",
        nargs="?",
        type=int,
        choices=(0, 1, 2),
        const=1,
        default=0,
        help="sum the embeddings of the face and of its mirror image: 0 (no), 1 or 2 (yes, as in insightface); "
        "without a number, yes (default: 0)",
    )
    add = parser.add_argument_group("output").add_argument
    add(
        *("-d", "--dest"),
        type=reachable,
        required=True,
        metavar="FEATURES",
        help="folder of the embeddings: FEATURES/<photo>.npy, where <photo> is the path below IMAGES or, if IMAGES "
        "is a list, the photo's folder and name",
    )
    add(
        "--matrix",
        action="store_true",
        help="write all embeddings to one features.npy (n, d), with labels.txt, instead of one file per photo; "
        "`facepart match -p` reads it, too",
    )
    add("--overwrite", action="store_true", help="overwrite existing outputs")
    add_hardware_arguments(parser)
    parser.set_defaults(device=None)  # so that a device that was asked for shows
    original = parser.add_argument_group("options of the original script")
    original.add_argument(
        "--gpu",
        type=int,
        metavar="N",
        help="like --device cuda:N; the CPU if N is negative or there is no CUDA device (default: see --device)",
    )
    for option, meaning in _WITHOUT_EFFECT.items():
        original.add_argument(option, metavar="X", help=f"accepted, but has no effect here: {meaning}")


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart extract``; return the exit status."""
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.pipeline.extract import extract_features

    arguments.device = _choose_device(arguments)
    _warn_of_options_without_effect(arguments)
    stage = partial(
        extract_features,
        arguments.source,
        arguments.dest,
        model=arguments.model,
        image_size=arguments.image_size,
        flip=arguments.flip > 0,
        align=arguments.align,
        matrix=arguments.matrix,
        overwrite=arguments.overwrite,
        **hardware_of(arguments),
    )
    outcome = run_stage("extract", stage, arguments, arguments.device)
    if outcome.several:
        print(several_faces(outcome.several, arguments.dest))
    print(outcome.note or f"recogniser: {outcome.model}")
    if outcome.succeeded:
        print(f"features to match: {outcome.features_list}")
    return print_last_line("embedded", outcome, arguments.dest)


def _image_size(text: str) -> "Size":
    """Parse rows and columns, the type of an option."""
    found = re.fullmatch(r"0*([1-9]\d{0,4}),0*([1-9]\d{0,4})", text.replace(" ", ""))
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a height and a width in pixels, such as 112,112")
    return int(found[1]), int(found[2])


def _choose_device(arguments: argparse.Namespace) -> str:
    """Return the device that ``--device`` or ``--gpu`` names.

    Raises:
        UsageError: both are given, or ``--gpu`` with a cluster; or there is no such device.
    """
    number: int | None = arguments.gpu
    if number is None:
        return "auto" if arguments.device is None else arguments.device
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
