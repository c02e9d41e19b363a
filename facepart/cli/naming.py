"""The options for naming rules, and their table at the end of a command's help."""

import argparse
import shutil
import textwrap

from facepart.data.naming import DEFAULT_DATASET, naming_table

_TABLE_TITLE = "naming rules for -d, with an example each (without extension; fields are separated by _):"


def add_naming_arguments(parser: argparse.ArgumentParser, *spellings: str) -> None:
    """Add ``-d`` and ``--subject-pattern``, and the table of naming rules.

    Args:
        parser: of a command.
        spellings: more of ``-d``.
    """
    parser.add_argument(
        *("-d", *spellings, "--dataset"),
        default=DEFAULT_DATASET,
        metavar="NAME",
        help="naming rule of a data set, from the table below (default: %(default)s)",
    )
    parser.add_argument(
        "--subject-pattern",
        metavar="REGEX",
        help="read the subject from folder/name by this pattern instead of -d: its group named subject, else its "
        "first group, else the whole match",
    )
    add_naming_table(parser)


def add_exclusion_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--exclude-same``."""
    parser.add_argument(
        "--exclude-same",
        metavar="REGEX",
        help="leave out authentic pairs of the same session, day or camera: those with equal matches of this pattern "
        "in folder/name (of its first group, if it has groups). Every name must match. Replaces the day rule of -d "
        "ND_GENDERS_V3",
    )


def add_naming_table(parser: argparse.ArgumentParser) -> None:
    """End the help of a command with the table of naming rules."""
    # A table has lines of its own, so that argparse must leave them, and the description too, as they are.
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(shutil.get_terminal_size().columns - 2, 20)
    parser.description = textwrap.fill(" ".join((parser.description or "").split()), width)
    parser.epilog = f"{_TABLE_TITLE}\n{naming_table()}"
