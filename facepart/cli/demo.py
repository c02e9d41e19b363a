"""Blur, extract, match and plot on photographs: those inside public packages, LFW, or your own.

Without --dataset and --images: nine people of the photographs in two public Python packages, each in several
simulated captures. Everything is fetched, and written to FOLDER as the four commands would write it.
"""

import argparse
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.cli.progress import progress_bar
from facepart.errors import UsageError
from facepart.files.progress import Progress
from facepart.parts import PARTS, choose_parts
from facepart.subjects import DATASETS, naming_rule

if TYPE_CHECKING:
    from facepart.demo.run import DemoOutcome

# How many photos of each person the default demo has.
_CAPTURES = 12
_SIMULATED = "simulated captures"
_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart demo``."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder for everything that is made"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--dataset", choices=["lfw"], help="on Labeled Faces in the Wild, which scikit-learn downloads (200 MB)"
    )
    source.add_argument(
        "--images", type=Path, metavar="FOLDER", help="on your own photos; faces are found and aligned"
    )
    parser.add_argument(
        "-d",
        "--naming",
        metavar="NAME",
        help=f"with --images, how names tell who is on a photo: {', '.join(DATASETS)} (default: FOLDER, a folder a "
        "person)",
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        default=list(PARTS),
        metavar="PART",
        help=f"which parts, one or more of: {' '.join(PARTS)} (default: all)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:<number> (default: auto)")


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart demo``; return the exit status."""
    # What is wrong in the call is told before minutes of work, not after.
    if arguments.naming and not arguments.images:
        raise UsageError("-d goes with --images: the demo's own photos have names that it knows")
    parts = choose_parts([name for names in arguments.parts for name in names.split(",")])
    naming_rule(arguments.naming or "FOLDER")
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.demo.faces import align_folder, align_lfw, make_captures
    from facepart.demo.run import run_stages

    photos = arguments.output / "photos"
    with _stage("find and align faces", "photo") as progress:
        if arguments.images:
            outcome = align_folder(arguments.images, photos, progress, exclude=(arguments.output,))
            naming, note = arguments.naming or "FOLDER", ""
        elif arguments.dataset:
            outcome = align_lfw(photos, progress)
            naming, note = "LFW", "LFW"
        else:
            outcome = make_captures(photos, _CAPTURES, progress)
            naming, note = "MORPH", _SIMULATED
    for failure in outcome.failures:
        print(f"left out {failure.path}: {failure.reason}")
    found = run_stages(
        arguments.output,
        dataset=naming,
        parts=parts,
        device=arguments.device,
        note=note,
        stage=_stage,
    )
    print(f"\n{_describe(found, note)}\n\n{_table(found)}\n\n{_conclude(found, note)}")
    print(f"Plots, original against blurred: {found.plots}/<part>.png; the pictures: {found.plots}/contact_sheet.png")
    return 0


@contextmanager
def _stage(name: str, unit: str) -> Iterator[Progress]:
    """Say what begins, and draw its progress where someone watches."""
    print(f"{name} ...", flush=True)
    with progress_bar(name, unit) as progress:
        yield progress


def _describe(found: "DemoOutcome", note: str) -> str:
    text = f"{found.photos} photos of {found.people} people; recogniser: {found.model}."
    if note == _SIMULATED:
        text += (
            " The photographs are those inside the Python packages face_recognition 1.3.0 and insightface 2.1. "
            f"The captures are simulated: every person is shown {_CAPTURES} times, with the crop moved, the light "
            "changed, noise, and JPEG compression."
        )
    return textwrap.fill(text, _WIDTH)


def _table(found: "DemoOutcome") -> str:
    """Lay out the mean scores and d', of the original photos and with each part blurred."""
    lines = [
        f"{'blurred':12}{'impostor mean':>15}{'shift':>10}{'authentic mean':>16}{'d-prime':>9}",
        f"{'(nothing)':12}{found.impostor:15.4f}{'':>10}{found.authentic:16.4f}{found.d_prime:9.3f}",
    ]
    for row in found.parts:
        line = f"{row.part:12}{row.impostor:15.4f}{row.impostor_shift:+10.4f}{row.authentic:16.4f}{row.d_prime:9.3f}"
        lines.append(line + (f"   (not found in {row.missing} photos)" if row.missing else ""))
    return "\n".join(lines)


def _conclude(found: "DemoOutcome", note: str) -> str:
    from facepart.demo.run import in_words

    most = found.most_moved
    where = "up" if most.impostor_shift > 0 else "down"
    text = (
        f"Blurring the {in_words(most.part)} moved the impostor scores most: their mean went {where} by "
        f"{abs(most.impostor_shift):.4f}. "
    )
    if note == _SIMULATED:
        text += (
            f"That shows how the stages work, no more: {found.people} people in simulated captures prove nothing "
            "about recognisers in general."
        )
    else:
        text += f"With {found.people} people, that is a hint and no finding."
    return textwrap.fill(text, _WIDTH)
