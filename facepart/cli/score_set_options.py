"""The options of ``facepart plot`` that name sets of scores: ``-a1 -i1 -l1``, or ``-s1 -l1``, and so on."""

import argparse
from typing import Any

from facepart.cli.command_parser import drawable
from facepart.files.addresses import reachable

# The highest number of a set; only those of the first are in the help.
MOST_SETS = 99
# Letter of an option -> the kind of scores in its file.
FILES = {"a": "authentic", "i": "impostor"}
# Letter and name of each option of a set, and its help.
SET_OPTIONS = (
    ("a", "authentic", "file of authentic scores"),
    ("i", "impostor", "file of impostor scores"),
    ("s", "scores", "GROUP_scores.npz with both, instead of -a1 and -i1"),
    ("l", "label", "label in legends and tables (default: Set 1)"),
)


def add_set_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the options of all sets; the one-dash long forms are those of the original programs."""
    for number in range(1, MOST_SETS + 1):
        for letter, name, what in SET_OPTIONS:
            options: dict[str, Any] = {
                "dest": f"{name}{number}",
                "type": drawable if name == "label" else reachable,
                "metavar": "TEXT" if name == "label" else "FILE",
            }
            shown = (
                f"set 1: {what}; -{letter}2, -{letter}3 ... for further sets" if number == 1 else argparse.SUPPRESS
            )
            spellings = f"-{letter}{number}", f"-{name}{number}", f"--{name}{number}"
            group.add_argument(*spellings, help=shown, default=None, **options)
            if number == 1:  # a set alone needs no number, as in one of the original programs
                group.add_argument(f"-{letter}", f"-{name}", f"--{name}", help=argparse.SUPPRESS, **options)
            if number <= 2 and name == "impostor":  # what another of them calls two distributions of any kind
                group.add_argument(f"--distribution_{number}", help=argparse.SUPPRESS, **options)
