"""Compare the features of a group: authentic and impostor scores, of every pair.

Reads a list of features, or a matrix features.npy with labels.txt beside it. Writes GROUP_authentic.npy and
GROUP_impostor.npy (rows: probe, gallery, cosine), GROUP_labels.txt and GROUP_gallery_labels.txt.
"""

import argparse
import logging
from pathlib import Path

from facepart.cli.progress import progress_bar
from facepart.matching.run import DEFAULT_DATASET, MatchOutcome, match
from facepart.subjects import DATASETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to `parser`; the one-dash long forms are those of the original program."""
    add = parser.add_argument
    add("-p", "-probe", "--probe", type=Path, required=True, metavar="LIST", help="list of features, or features.npy")
    add(
        "-g",
        "-gallery",
        "--gallery",
        type=Path,
        metavar="LIST",
        help="what to compare them with; default: each other",
    )
    add("-o", "-output", "--output", type=Path, required=True, metavar="FOLDER", help="where the score files go")
    add(
        *("-d", "-dataset", "--dataset"),
        default=DEFAULT_DATASET,
        metavar="NAME",
        help=f"how names tell the subject: {', '.join(DATASETS)} (default: %(default)s)",
    )
    add("-gr", "-group", "--group", required=True, metavar="NAME", help="what the files' names begin with, e.g. CM")
    add("--subject-pattern", metavar="REGEX", help="instead of -d: finds the subject in folder/name")
    add(
        "--include-same-photo",
        action="store_true",
        help="with -g: compare a photo with its own blurred copy too, as the original program does",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Match, and say what was compared."""
    with progress_bar("match", unit="pair") as progress:
        outcome = match(
            arguments.probe,
            arguments.gallery,
            arguments.output,
            arguments.group,
            dataset=arguments.dataset,
            subject_pattern=arguments.subject_pattern,
            include_same_photo=arguments.include_same_photo,
            progress=progress,
        )
    print(_summary(outcome, arguments.output / arguments.group))
    if not outcome.authentic:
        logging.getLogger(__name__).warning(
            "no authentic pairs: no subject has two photos to compare; %s_authentic.npy is empty", arguments.group
        )
    return 0


def _summary(outcome: MatchOutcome, files: Path) -> str:
    other = "each other" if outcome.gallery is None else f"{outcome.gallery} of the gallery"
    people = "1 person" if outcome.subjects == 1 else f"{outcome.subjects} people"
    line = (
        f"compared {outcome.probes} features of {people} with {other}: {outcome.authentic} authentic and "
        f"{outcome.impostor} impostor scores into {files}_authentic.npy and {files}_impostor.npy"
    )
    if outcome.left_out:
        line += f"; left out {outcome.left_out} pairs of the same photo"
    return line
