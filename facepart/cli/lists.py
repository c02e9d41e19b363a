"""Write a list of the features below a folder, of all or of one demographic group.

With --people and --group, a CSV table says who belongs to the group: a column image, photo or file names photos, or
one of subject, person, name, identity, id names people.
"""

import argparse

from facepart.cli.naming import add_naming_arguments
from facepart.cli.people import warn_of_unknown
from facepart.data.feature_files import find_features
from facepart.data.naming import naming_rule
from facepart.data.path_lists import write_list
from facepart.data.subject_table import read_people, select_group
from facepart.errors import UsageError
from facepart.files.addresses import reachable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to `parser`."""
    add = parser.add_argument
    add("-s", "--source", type=reachable, required=True, metavar="FEATURES", help="folder of features")
    add("-o", "--output", type=reachable, required=True, metavar="LIST", help="the list to write, e.g. lists/CM.txt")
    add("--people", type=reachable, metavar="CSV", help="table of people or photos and their groups")
    add("--group", metavar="NAME", help="the group to choose, e.g. CM")
    add("--group-column", default="group", metavar="NAME", help="the table's column of groups (default: %(default)s)")
    add_naming_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Find the features, choose the group's, and write the list."""
    if (arguments.people is None) != (arguments.group is None):
        raise UsageError("--people and --group go together: a table, and the group to choose from it")
    rule = naming_rule(arguments.dataset, arguments.subject_pattern)
    features = find_features(arguments.source)
    what = f"{len(features)} features"
    if arguments.people is not None:
        people = read_people(arguments.people, arguments.group_column)
        selection = select_group(features, arguments.source, people, arguments.group, rule)
        who = f"{selection.subjects} {'person' if selection.subjects == 1 else 'people'} of group {arguments.group}"
        what = f"{len(selection.chosen)} of {what}, those of {who},"
        features = selection.chosen
        warn_of_unknown(arguments.people, selection.without_row, selection.without_group)
    write_list(arguments.output, features)
    print(f"wrote {what} to {arguments.output}")
    return 0
