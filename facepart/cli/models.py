"""List the networks that facepart knows, fetch them, and verify those on this machine."""

import argparse

from facepart.cli.guard import print_error
from facepart.cli.list_action import ListAction
from facepart.cli.progress_bar import print_now
from facepart.errors import FacepartError
from facepart.networks.catalogue.entries import Model, catalogue, model
from facepart.networks.catalogue.fetching import fetch
from facepart.networks.catalogue.hashes import record, recorded
from facepart.networks.catalogue.lookup import USABLE, ModelFile, find, look_up

_NAMES = "Names are separated by spaces or commas."


EXAMPLES = (
    "facepart models list",
    "facepart models fetch sface",
    "facepart models check",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of ``facepart models``, and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, title="actions", metavar="list|fetch|where|check")
    text = "list every network: task, length of its embeddings, licence, training set, and where its weights are"
    actions.add_parser("list", help=text, description=f"{text.capitalize()}.")
    text = "download the weights of networks, unless they are on this machine"
    several = actions.add_parser("fetch", help=text, description=f"{text.capitalize()}. {_NAMES}")
    several.add_argument("names", action=ListAction, metavar="NAME", help="as in `facepart models list`")
    text = "print the path of a network's weights"
    one = actions.add_parser("where", help=text, description=f"{text.capitalize()}.")
    one.add_argument("name", metavar="NAME", help="as in `facepart models list`")
    text = "compare the weights on this machine with their known sha256"
    some = actions.add_parser("check", help=text, description=f"{text.capitalize()}. {_NAMES}")
    some.add_argument(
        "names",
        action=ListAction,
        nargs="*",
        default=[],
        metavar="NAME",
        help="as in `facepart models list` (default: all networks)",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Run ``facepart models``; return the exit status."""
    if arguments.action == "list":
        return _list()
    if arguments.action == "where":
        return _where(arguments.name)
    # Every name is looked up before any network is fetched or checked.
    entries = [model(name) for name in arguments.names]
    return _fetch(entries) if arguments.action == "fetch" else _check(entries or list(catalogue().values()))


def _list() -> int:
    rows = [("name", "task", "dimension", "licence", "trained_on", "where")]
    for entry in catalogue().values():
        dimension = "-" if entry.dimension is None else str(entry.dimension)
        rows.append((entry.name, entry.task, dimension, entry.licence, entry.trained_on, _place(entry)))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*padded, row[5]]))
    return 0


def _place(entry: Model) -> str:
    files = list(look_up(entry))
    usable = next((found.path for found in files if found.state in USABLE), None)
    if usable is not None:
        return str(usable)
    if not files:
        return "not found"
    return f"{files[0].path} ({'no permission' if files[0].state == 'unreadable' else f'{files[0].state} sha256'})"


def _where(name: str) -> int:
    path = find(name)
    if path is None:
        raise FacepartError(
            f"{name}: not found; `facepart models fetch {name}` downloads it, or says where to put it"
        )
    print(path)
    return 0


def _fetch(entries: list[Model]) -> int:
    status = 0
    for entry in entries:
        try:
            path = fetch(entry.name, on_download=print_now)
        except FacepartError as error:
            print_error(str(error))
            status = error.exit_status
        else:
            print(f"{entry.name}: {path}")
    return status


def _check(entries: list[Model]) -> int:
    status = 0
    for entry in entries:
        here = False
        for found in look_up(entry):
            here = True
            if found.state == "new":
                record(entry.name, found.sha256)
            if found.state not in USABLE:
                status = 1
            print(f"{entry.name}: {_verdict(entry, found)}: {found.path}")
        if not here:
            print(f"{entry.name}: not found")
    return status


def _verdict(entry: Model, found: ModelFile) -> str:
    if found.state == "new":
        return "no known sha256, now recorded"
    if found.state in USABLE:
        return found.state
    if found.state == "unreadable":
        return "no permission to read it"
    return f"{found.state}, its sha256 is {found.sha256}, not {entry.sha256 or recorded(entry.name)}"
