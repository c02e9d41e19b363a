"""The program ``facepart``: find the command, prepare the process, and run it."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, cast

from facepart import __version__
from facepart.cli.command_parser import CommandParser, add_examples
from facepart.cli.guard import print_error, readable
from facepart.errors import UsageError
from facepart.files.cache import cache_folder
from facepart.memory import refuse_little_memory
from facepart.processors import limit_libraries

# Command -> module. A module is imported only when its command is named, so that no command waits for another's.
COMMANDS = {
    "align": "facepart.cli.align",
    "blur": "facepart.cli.blur",
    "extract": "facepart.cli.extract",
    "match": "facepart.cli.match",
    "plot": "facepart.cli.plot",
    "study": "facepart.cli.study",
    "parse": "facepart.cli.parse",
    "lists": "facepart.cli.lists",
    "models": "facepart.cli.models",
    "demo": "facepart.cli.demo",
}
_SOURCE = ("-s", "--source", "-source")
_PROBE = ("-p", "--probe", "-probe")
_HELP = ("-h", "--help")

SUMMARIES = {
    "align": "find the faces in photos, and align them",
    "blur": "occlude parts of the face: part masks and occluded photos",
    "extract": "compute the embeddings of photos",
    "match": "compute authentic and impostor scores from embeddings",
    "plot": "plot score distributions, ROC and other curves; compute d', EER and error rates",
    "study": "run the whole experiment: photos and groups in, a ranking of the parts and a report out",
    "parse": "write the label maps of photos, and compare them with others",
    "lists": "write a list of embeddings, of all subjects or of one demographic group",
    "models": "list, fetch and verify the networks",
    "demo": "run a study on public photographs, or on your own photos",
}


class Command(Protocol):
    """What the module of a command has; its docstring is the description in the command's help.

    Attributes:
        EXAMPLES: command lines, shown after the options in the help.
    """

    EXAMPLES: tuple[str, ...]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments to its parser."""

    def execute(self, arguments: argparse.Namespace) -> int:
        """Run the command; return the exit status."""


_BARREN = "/proc/self/ns"
# The exit statuses, for the help; docs/by-hand.md has the table.
_STATUSES = (
    "exit status: 0 success (photos that failed are listed); 1 failure; 2 usage error; 128 + n terminated by signal n"
)


class ReadableFormatter(logging.Formatter):
    """Formats warnings as errors are printed."""

    def __init__(self) -> None:
        super().__init__("facepart: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return a warning in one line."""
        return readable(super().format(record))


def run_facepart(arguments: Sequence[str]) -> int:
    """Run the command that the first argument names; return the exit status."""
    parser = CommandParser(
        prog="facepart",
        usage="%(prog)s COMMAND [options]",
        description="Which parts of a face does a face recogniser rely on?",
        epilog="\n".join(
            ["commands:"]
            + [f"  {name:9}{summary}" for name, summary in SUMMARIES.items()]
            + ["", "`facepart COMMAND -h` shows the options of a command.", "", _STATUSES]
        ),
    )
    parser.add_argument("--version", action="version", version=f"facepart {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    # Only the first argument is the program's; the rest is the command's, whatever it looks like.
    named = parser.parse_args(list(arguments[:1]))
    return find_and_run(named.command, arguments[1:], program=f"facepart {named.command}")


def find_and_run(command: str, arguments: Sequence[str], program: str) -> int:
    """Prepare the process, load a command and run it; the arguments are those of :func:`facepart.cli.run_command`."""
    # Before libraries are imported that ask for any of these.
    refuse_little_memory()
    limit_libraries()
    _leave_removed_folder()
    # Before OpenCV is imported: what it prints of an error, it also raises.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    # Before matplotlib is imported: it would keep its list of fonts in the home folder.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
    parser, execute = load_command(command, program)
    # It warns of a cache that it cannot write, which costs a second and nothing else.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ReadableFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    return execute(parser.parse_args(list(arguments)))


def _leave_removed_folder() -> None:
    """Leave a current folder that has been removed for one in which nothing can be made: libraries abort in it."""
    try:
        Path.cwd()
    except OSError:
        print_error("the current folder has been removed: give absolute paths")
        with suppress(OSError):  # not on Linux
            os.chdir(_BARREN)


def load_command(command: str, program: str) -> tuple[CommandParser, Callable[[argparse.Namespace], int]]:
    """Import the module of a command; return its parser, and the function that runs it.

    Args:
        command: a key of :data:`COMMANDS`.
        program: how the user called it.
    """
    module = importlib.import_module(COMMANDS[command])
    found = cast(Command, module)
    parser = CommandParser(prog=program, description=module.__doc__)
    found.add_arguments(parser)
    add_examples(parser, found.EXAMPLES)
    return parser, found.execute


def extract_or_match(arguments: Sequence[str]) -> int:
    """Run the command that the arguments of ``face_matching`` are for; return the exit status."""
    program = "face_matching"
    if any(argument in _HELP for argument in arguments):
        # Alone, since `-s -h` would take it for the source.
        chosen = [argument for argument in arguments if argument in (*_SOURCE, *_PROBE)]
        arguments = [*_HELP[:1], *chosen]
    if any(argument in _PROBE for argument in arguments):
        return find_and_run("match", arguments, program)
    if any(argument in _SOURCE for argument in arguments):
        return find_and_run("extract", arguments, program)
    parser = argparse.ArgumentParser(
        prog=program,
        usage=f"{program} -s IMAGES -d FEATURES ...\n       {program} -p PROBE.txt [-g GALLERY.txt] -o MATCHES ...",
        description="With -s: compute the embeddings of photos (facepart extract). "
        "With -p: compute authentic and impostor scores from embeddings (facepart match).",
        epilog="`face_matching -s -h` shows the options of the first, `face_matching -p -h` those of the second.",
    )
    parser.parse_args([argument for argument in arguments if argument in _HELP])
    parser.print_usage(sys.stderr)
    print("facepart: give -s to compute embeddings, or -p to compute scores from them", file=sys.stderr)
    return UsageError.exit_status
