"""Run a study on photographs: from public Python packages, from LFW, or your own.

By default, the photos are simulated captures of nine people, made from photographs inside two public Python packages.
The command fetches what it needs, and writes to FOLDER what `facepart study` writes.

Values of a list are separated by spaces or commas: --parts eyes nose, or --parts eyes,nose.
"""

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facepart.cli.guard import print_error
from facepart.cli.hardware_options import add_device_argument
from facepart.cli.occlusion_options import add_parts_argument, add_parts_table
from facepart.cli.progress_bar import ProgressBar, print_now
from facepart.cli.subject_options import add_naming_table
from facepart.counts import count_of
from facepart.data.naming_conventions import naming_rule
from facepart.errors import UsageError
from facepart.occlusion.parts import Part, choose_parts
from facepart.occlusion.parts_file import read_parts

if TYPE_CHECKING:
    from facepart.analysis.ranking import Ranked
    from facepart.files.failures import Outcome
    from facepart.study import StudyOutcome

# Photos of each person in the default demo.
_CAPTURES = 12
# What the title of the report says of the photos.
_SIMULATED, _LFW = "simulated captures", "LFW"
_TITLE = "Which parts of a face does the recogniser rely on?"
_WIDTH = 100


EXAMPLES = (
    "facepart demo -o demo",
    "facepart demo -o demo --images photos -d FOLDER",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart demo``."""
    parser.usage = "%(prog)s -o FOLDER [--dataset lfw | --images FOLDER] [options]"
    group = parser.add_argument_group("input")
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--dataset",
        choices=["lfw"],
        help="use Labeled Faces in the Wild, which scikit-learn downloads (200 MB) (default: the simulated captures)",
    )
    source.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help="use your own photos; faces are detected and aligned (default: the simulated captures)",
    )
    group.add_argument(
        "-d",
        "--naming",
        metavar="NAME",
        help="with --images: naming convention for reading the subject from a photo's name; see the table "
        "below (default: FOLDER, one folder per subject)",
    )
    add_parts_argument(parser.add_argument_group("what to occlude"))
    parser.add_argument_group("output").add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder of all outputs"
    )
    add_device_argument(parser.add_argument_group("hardware"))
    add_naming_table(parser)
    add_parts_table(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart demo``; return the exit status."""
    # A wrong call is refused before minutes of work, not after.
    if arguments.naming and not arguments.images:
        raise UsageError("-d goes with --images: facepart knows how the demo's own photos are named")
    parts = choose_parts(arguments.parts, read_parts(arguments.parts_file) if arguments.parts_file else None)
    naming_rule(arguments.naming or "FOLDER")
    # Imported here, so that `-h` and a wrong call do not wait for the networks' libraries.
    from facepart.report.terminal import results_text
    from facepart.study import Request, run_study

    photos = arguments.output / "photos"
    print_now("detecting and aligning faces ...")
    outcome, naming, source = _make_photos(arguments, photos)
    for failure in outcome.failures:
        print_error(f"left out {failure.path}: {failure.reason}")
    request = Request(
        source=photos,
        output=arguments.output,
        dataset=naming,
        parts=[part.name for part in parts],
        parts_file=arguments.parts_file,
        keep=["photos"],
        device=arguments.device,
        title=f"{_TITLE} · {source}" if source else _TITLE,
    )
    print_now("occluding, embedding and comparing photos ...")
    with ProgressBar("study") as progress:
        found = run_study(request, on_note=print_now, progress=progress)
    conclusion = _conclude(found, parts, simulated=source == _SIMULATED)
    print(f"\n{results_text(found.figures)}\n\n{conclusion}")
    print(f"report: {found.report}")
    return 0


def _make_photos(arguments: argparse.Namespace, photos: Path) -> "tuple[Outcome, str, str]":
    """Write the photos of the demo; return the outcome, their naming convention, and their source for the title."""
    from facepart.demo.faces import align_folder, align_lfw, make_captures

    with ProgressBar("align") as progress:
        if arguments.images:
            outcome = align_folder(arguments.images, photos, progress, exclude=(arguments.output,))
            return outcome, arguments.naming or "FOLDER", ""
        if arguments.dataset:
            return align_lfw(photos, progress), "LFW", _LFW
        return make_captures(photos, _CAPTURES, progress), "MORPH", _SIMULATED


def _conclude(found: "StudyOutcome", parts: Sequence[Part], *, simulated: bool) -> str:
    """Say which part shifts the impostor scores most, and how little a demo proves."""
    (ranked,) = found.figures.ranking.values()
    most = max(ranked, key=_size)
    label, shift = next(part.label for part in parts if part.name == most.part), most.effect.value
    text = (
        f"Occluding the {label} shifted the impostor scores most: their mean {'rose' if shift > 0 else 'fell'} by "
        f"{abs(shift):.4f}. "
    )
    subjects = count_of(sum(found.members.subjects.values()), "subject")
    if simulated:
        text += (
            "The photographs are those inside the Python packages face_recognition 1.3.0 and insightface 2.1. "
            f"The captures are simulated: each subject appears {_CAPTURES} times, with a shifted crop, changed "
            "light, noise and JPEG compression. They show how the stages work, no more: simulated captures of "
            f"{subjects} prove nothing about recognisers in general."
        )
    else:
        text += f"With {subjects}, this is an indication, not a finding."
    return textwrap.fill(text, _WIDTH)


def _size(ranked: "Ranked") -> float:
    return abs(ranked.effect.value)
