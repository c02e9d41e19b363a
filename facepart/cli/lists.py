"""Write a list of embeddings: of all that are in a folder, or of those of one demographic group.

With --people and --group, a CSV table gives the group of each photo or subject: a column image, photo or file names
the photo; or a column subject, person, name, identity or id names the subject.

Values of a list are separated by spaces or commas: --group-column sex ethnicity, or --group-column sex,ethnicity.
"""

import argparse

from facepart.cli.subject_options import (
    add_naming_arguments,
    add_naming_table,
    add_table_arguments,
    choose_dataset,
)
from facepart.cli.subject_warnings import warn_of_left_out
from facepart.counts import count_of
from facepart.data.feature_files import find_features
from facepart.data.labels import names_below
from facepart.data.naming_conventions import check_naming, naming_rule
from facepart.data.path_lists import refuse_unlistable, write_list
from facepart.data.subject_table import read_people
from facepart.errors import UsageError
from facepart.files.addresses import reachable, refuse_overwriting
from facepart.matching.features import unread_features
from facepart.matching.groups import split_by_people

EXAMPLES = (
    "facepart lists -s features/baseline -o lists/all.txt",
    "facepart lists -s features/baseline -o lists/CM.txt --people people.csv \\\n    --group CM",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``facepart lists``."""
    parser.usage = "%(prog)s -s FEATURES -o LIST [--people CSV --group NAME] [options]"
    group = parser.add_argument_group("input")
    group.add_argument(
        *("-s", "--source"),
        type=reachable,
        required=True,
        metavar="FEATURES",
        help="folder of embeddings, searched recursively",
    )
    add_naming_arguments(group)
    group = parser.add_argument_group("demographic group")
    add_table_arguments(group, "all embeddings are listed")
    group.add_argument(
        "--group",
        metavar="NAME",
        help="the group of --people whose embeddings are listed, e.g. CM (default: all embeddings, without --people)",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        *("-o", "--output"),
        type=reachable,
        required=True,
        metavar="LIST",
        help="the list, one absolute path per line, e.g. lists/CM.txt",
    )
    add_naming_table(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart lists``; return the exit status."""
    if (arguments.people is None) != (arguments.group is None):
        raise UsageError("--people and --group go together: give a table and one of its groups, or neither")
    check_naming(arguments.dataset, arguments.subject_pattern)
    refuse_unlistable(arguments.source)
    refuse_overwriting([arguments.people], [arguments.output])
    if arguments.output.suffix.lower() == ".npy":
        raise UsageError(
            f"-o {arguments.output}: a list is a text, and embeddings are called *.npy; name it otherwise"
        )
    features = find_features(arguments.source)
    what = count_of(len(features), "embedding")
    if arguments.people is not None:
        people = read_people(arguments.people, arguments.group_column)
        people.find_groups([arguments.group])  # first, since nothing is read from names for an unknown group
        names = names_below(features)
        given = arguments.dataset, arguments.subject_pattern
        dataset = choose_dataset(*given, [names], str(arguments.source), people.subjects)
        rule = naming_rule(dataset, arguments.subject_pattern)
        unread = unread_features(arguments.source, names, features)
        split = split_by_people(unread, None, people, rule, [arguments.group])
        (group,) = split.groups
        features = list(group.probe.paths)
        subjects = count_of(len({rule(label) for label in group.probe.labels}), "subject")
        what = f"{len(features)} of {what} ({subjects} of group {arguments.group})"
        warn_of_left_out(arguments.people, split)
    write_list(arguments.output, features)
    print(f"listed {what} in {arguments.output}")
    return 0
