"""The options of ``facepart plot --kind cmc``: sets of ranks, ``-r1 -l1`` or ``-a1 -i1 -lp1`` and so on."""

import argparse
from typing import Any

from facepart.cli.command_parser import positive
from facepart.cli.score_set_options import MOST_SETS
from facepart.errors import UsageError
from facepart.files.addresses import reachable

CMC = "cmc"
# The highest rank that a figure shows by default, that of facepart.plots.cmc.
HIGHEST_RANK = 20
# Destination of an option of one set -> its letters, and its help.
RANK_SET_OPTIONS = {
    "rank": ("-r", "GROUP_ranks.csv of `facepart match --ranks`, or the ranks of the original program"),
    "probe_labels": ("-lp", "labels of the probes (default: GROUP_labels.txt beside GROUP_authentic.npy)"),
    "gallery_labels": ("-lg", "labels of the gallery (default: GROUP_gallery_labels.txt, likewise)"),
}
# Destination of an option of all sets -> its name.
_OF_ALL_SETS = {"ranks": "--ranks", "dataset": "--dataset", "subject_pattern": "--subject-pattern"}


def add_rank_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that only CMC curves have; the one-dash long forms are those of the original program."""
    add = parser.add_argument_group(
        f"with --kind {CMC}",
        "Give each set by its ranks (-r1), or by pairs and labels (-a1 -i1 -lp1 -lg1).",
    ).add_argument
    for number in range(1, MOST_SETS + 1):
        for name, (letters, what) in RANK_SET_OPTIONS.items():
            option = name.replace("_", "-")
            shown = f"set 1: {what}; {letters}2, {letters}3 ... for further sets"
            options: dict[str, Any] = {"dest": f"{name}{number}", "type": reachable, "metavar": "FILE"}
            add(
                *(f"{letters}{number}", f"-{option}{number}", f"--{option}{number}"),
                help=shown if number == 1 else argparse.SUPPRESS,
                **options,
            )
    add(
        *("-r", "-total_ranks", "--ranks"),
        type=positive,
        metavar="N",
        help=f"the highest rank of the curves (default: {HIGHEST_RANK})",
    )
    add(
        "--dataset",
        metavar="NAME",
        help="naming convention for reading the subject from a label; one of `facepart match -h` (default: "
        "that of the run of `facepart match` that wrote the pairs, else the one that the labels follow, or MORPH; "
        "one that does not fit the pairs is refused)",
    )
    add(
        "--subject-pattern",
        metavar="REGEX",
        help="regular expression that finds the subject in a label, instead of --dataset (default: the rule of "
        "--dataset)",
    )


def refuse_rank_options(arguments: argparse.Namespace) -> None:
    """Refuse options of CMC curves with another kind.

    Raises:
        UsageError: such an option is given.
    """
    numbers = range(1, MOST_SETS + 1)
    names = {
        f"{name}{number}": f"{found[0]}{number}" for name, found in RANK_SET_OPTIONS.items() for number in numbers
    }
    for name, option in (names | _OF_ALL_SETS).items():
        if getattr(arguments, name) is not None:
            raise UsageError(f"{option} is for --kind {CMC}, not for --kind {arguments.kind}")
