"""The options that every command with a network has, and what ``--profile`` prints."""

import argparse

from facepart.files.progress import StepTimes
from facepart.networks.engine import PRECISIONS
from facepart.pipeline.batches import DEFAULT_BATCH, default_workers


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, ``--precision``, ``--batch-size``, ``--workers`` and ``--profile``."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:<number> (default: auto)")
    parser.add_argument(
        "--precision",
        choices=["auto", *PRECISIONS],
        default="auto",
        help="of the network's arithmetic; auto is bf16 where the hardware has it, else fp32 on the CPU and fp16 on "
        "CUDA",
    )
    parser.add_argument(
        "--batch-size",
        type=positive,
        default=DEFAULT_BATCH,
        metavar="N",
        help="photos given to the network at once (default: %(default)s); does not change the results",
    )
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help=f"threads that read and write beside it (default here: {default_workers()}); do not change the results",
    )
    parser.add_argument("--profile", action="store_true", help="say at the end how long each step took")


def profile(times: StepTimes, photos: int) -> str:
    """Lay out the seconds of each step, in all and a photo."""
    lines = [f"{'step':34}{'seconds':>9}{'ms a photo':>12}"]
    for step, seconds in sorted(times.seconds.items(), key=lambda entry: -entry[1]):
        lines.append(f"{step:34}{seconds:9.2f}{1000 * seconds / max(photos, 1):12.2f}")
    lines.append("All but the network and its waiting go on beside it, in threads whose times add up.")
    return "\n".join(lines)


def positive(text: str) -> int:
    """Read a whole number from 1 on, for an option."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
