"""The options that say who is in a photo, and in which demographic group."""

import argparse
from collections.abc import Collection, Sequence

from facepart.cli.list_action import ColumnsAction
from facepart.data.naming_conventions import naming_table
from facepart.data.recognise_convention import recognise_convention
from facepart.files.addresses import reachable

_TABLE_TITLE = "naming conventions for -d, with examples (without extension; _ separates the fields of a name):"


def add_naming_arguments(group: argparse._ArgumentGroup, *spellings: str) -> None:
    """Add ``-d`` and ``--subject-pattern``; the command's help needs :func:`add_naming_table` as well.

    Args:
        group: of a command's options.
        spellings: further spellings of ``-d``.
    """
    group.add_argument(
        *("-d", *spellings, "--dataset"),
        metavar="NAME",
        help="naming convention for reading the subject from a photo's name; see the table below (default: "
        "inferred from the names and printed, if only one fits)",
    )
    group.add_argument(
        "--subject-pattern",
        metavar="REGEX",
        help="regular expression that finds the subject in folder/name: the named group 'subject', else the first "
        "capture group, else the whole match. If several photos have the same folder/name, or the expression "
        "matches none of the photos, it is applied to folder/folder/name, and so on (default: the rule of -d)",
    )


def add_exclusion_argument(group: argparse._ArgumentGroup) -> None:
    """Add ``--exclude-same``."""
    group.add_argument(
        "--exclude-same",
        metavar="REGEX",
        help="leave out authentic pairs from the same session, day or camera: those for which this regular "
        "expression finds the same text in folder/name (in its first capture group, if it has any); it must match "
        "every name (default: none are left out, except those from the same day with -d ND_GENDERS_V3)",
    )


def add_table_arguments(group: argparse._ArgumentGroup, without: str) -> None:
    """Add ``--people`` and ``--group-column``.

    Args:
        group: of a command's options.
        without: the default of ``--people``: what the command does without a table.
    """
    group.add_argument(
        "--people",
        type=reachable,
        metavar="CSV",
        help=f"table that gives the group of each subject or photo (default: {without})",
    )
    group.add_argument(
        "--group-column",
        action=ColumnsAction,
        default="group",
        metavar="NAME",
        help="column of the table that holds the group. Several columns are crossed: sex,ethnicity makes groups such "
        "as female_asian. Numbers are put into bins by edges after a colon: age:18,30 makes age_under_18, age_18-29 "
        "and age_30_or_more (default: %(default)s)",
    )


def add_naming_table(parser: argparse.ArgumentParser) -> None:
    """End the help of a command with the table of naming conventions."""
    parser.epilog = f"{_TABLE_TITLE}\n{naming_table()}"


def choose_dataset(
    dataset: str | None,
    pattern: str | None,
    sides: Sequence[Sequence[str]],
    source: str,
    subjects: Collection[str] = (),
) -> str | None:
    """Return the naming convention: given, or recognised and printed; None if a pattern was given instead.

    Args:
        dataset: the convention, if it was given.
        pattern: the pattern, if one was given.
        sides: see :func:`facepart.data.recognise_convention.recognise_convention`.
        source: see there.
        subjects: see there.

    Raises:
        UsageError: neither was given, and the names do not tell the convention.
    """
    if dataset is not None or pattern is not None:
        return dataset
    found = recognise_convention(sides, source, subjects)
    print(found.sentence())
    return found.dataset
