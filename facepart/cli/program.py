"""The program ``facepart``: finds the command, runs it, and turns errors into one line and an exit status."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from facepart import __version__
from facepart.errors import FacepartError, UsageError
from facepart.files.cache import cache_folder

# Command -> module. A module is imported only when its command is named: `facepart plot` need not load PyTorch.
COMMANDS = {
    "blur": "facepart.cli.blur",
    "extract": "facepart.cli.extract",
    "match": "facepart.cli.match",
    "plot": "facepart.cli.plot",
    "study": "facepart.cli.study",
    "lists": "facepart.cli.lists",
    "models": "facepart.cli.models",
    "demo": "facepart.cli.demo",
}
_SOURCE = ("-s", "--source", "-source")
_PROBE = ("-p", "--probe", "-probe")
_HELP = ("-h", "--help")
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

_SUMMARIES = {
    "blur": "segment faces and blur one part at a time",
    "extract": "photos -> ArcFace features",
    "match": "features -> authentic and impostor scores",
    "plot": "scores -> histograms, ROC and other figures, d' and error rates",
    "study": "photos and a table of people -> which part matters most, and a report",
    "lists": "write a list of features, of all or of one demographic group",
    "models": "list, fetch and check networks",
    "demo": "all four stages on photographs inside public packages",
}


def main(arguments: Sequence[str]) -> int:
    """Run ``facepart`` with `arguments`; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="facepart",
        description="Which parts of a face does a face recogniser rely on?",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            ["commands:"]
            + [f"  {name:9}{summary}" for name, summary in _SUMMARIES.items()]
            + ["", "`facepart COMMAND -h` tells a command's options."]
        ),
    )
    parser.add_argument("--version", action="version", version=f"facepart {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    # Only the first argument is the program's; the rest is the command's, whatever it looks like.
    named = parser.parse_args(list(arguments[:1]))
    return run_command(named.command, arguments[1:], program=f"facepart {named.command}")


def run_command(command: str, arguments: Sequence[str], program: str) -> int:
    """Run one command.

    Args:
        command: a key of :data:`COMMANDS`.
        arguments: the command's own arguments.
        program: how the user called it, for its help and its errors.

    Returns:
        The exit status: 0; 1 if the work could not be done; 2 for a wrong call; 130 if interrupted.
    """
    # Before matplotlib is imported: it would keep its list of fonts in the home folder.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
    module = importlib.import_module(COMMANDS[command])
    parser = argparse.ArgumentParser(prog=program, description=module.__doc__, allow_abbrev=False)
    module.add_arguments(parser)
    logging.basicConfig(format="facepart: %(message)s", level=logging.WARNING, stream=sys.stderr)
    try:
        status: int = module.execute(parser.parse_args(list(arguments)))
    except FacepartError as error:
        print(f"facepart: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("facepart: interrupted; run the same command again to finish", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`facepart models list | head`): nothing is wrong.
        sys.stderr.close()
        return 0
    return status


def run_face_matching(arguments: Sequence[str]) -> int:
    """Run the door ``face_matching``, which is two commands: ``-s`` extracts, ``-p`` matches."""
    program = "face_matching"
    if any(argument in _HELP for argument in arguments):
        # Alone, since `-s -h` would take it for the source.
        chosen = [argument for argument in arguments if argument in (*_SOURCE, *_PROBE)]
        arguments = [*_HELP[:1], *chosen]
    if any(argument in _PROBE for argument in arguments):
        return run_command("match", arguments, program)
    if any(argument in _SOURCE for argument in arguments):
        return run_command("extract", arguments, program)
    parser = argparse.ArgumentParser(
        prog=program,
        usage=f"{program} -s IMAGES -d FEATURES ...\n       {program} -p PROBE.txt [-g GALLERY.txt] -o MATCHES ...",
        description="With -s: photos -> features (facepart extract). With -p: features -> scores (facepart match).",
        epilog="`-s -h` and `-p -h` tell the options of either.",
    )
    parser.parse_args([argument for argument in arguments if argument in _HELP])
    parser.print_usage(sys.stderr)
    print("facepart: give -s to extract features, or -p to match them", file=sys.stderr)
    return UsageError.exit_status


def run() -> None:
    """Run the console script."""
    sys.exit(main(sys.argv[1:]))
