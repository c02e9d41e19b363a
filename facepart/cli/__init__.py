"""The commands. Only this package prints, parses arguments or exits.

A command is a module of its own name (``blur``, ``extract``, ``match``, ``plot``, ``study``, ``lists``, ``models``,
``demo``); :class:`facepart.cli.program.Command` says what such a module has. :mod:`facepart.cli.program` finds the
module and runs it; :mod:`facepart.cli.guard` turns an error that a user can mend, or an interruption, into one line
on standard error.

The other modules serve several commands:

``guard``, ``standard_streams``, ``stop_signals``
    the last net: errors of any kind, signals, and standard output that cannot be written
``command_parser``, ``list_action``
    how arguments are parsed: one-line errors, and one rule for all options that take a list
``photo_options``, ``subject_options``, ``occlusion_options``, ``hardware_options``, ``ray``, ``dry_run_options``,
``score_set_options``, ``rank_set_options``
    options that several commands share, or that belong together
``score_sets``, ``score_tables``, ``plot_cmc``
    what ``plot`` reads, the tables that it prints, and its CMC curves
``progress_bar``, ``run_summary``, ``subject_warnings``
    what a run prints: its progress, its last lines, and warnings about subjects
"""

import sys
from collections.abc import Sequence

from facepart.cli.guard import Guard, report_no_memory

__all__ = ["main", "run", "run_command", "run_face_matching"]


def run() -> None:
    """Run the console script."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run ``facepart`` with `arguments`; return the exit status."""
    return _guarded("run_facepart", arguments)


def run_command(command: str, arguments: Sequence[str], program: str) -> int:
    """Run one command.

    Args:
        command: a key of :data:`facepart.cli.program.COMMANDS`.
        arguments: the command's own arguments.
        program: how the user called it, for its help and its errors.

    Returns:
        The exit status: 0; 1 if the work could not be done; 2 for a wrong call; 128 + n if signal n ended it.
    """
    return _guarded("find_and_run", command, arguments, program)


def run_face_matching(arguments: Sequence[str]) -> int:
    """Run the entry ``face_matching``, which is two commands: ``-s`` extracts, ``-p`` matches."""
    return _guarded("extract_or_match", arguments)


def _guarded(function: str, *arguments: str | Sequence[str]) -> int:
    """Call a function of :mod:`facepart.cli.program`, imported where signals and errors are caught already."""
    guard = Guard()
    try:
        with guard:
            from facepart.cli import program

            guard.status = getattr(program, function)(*arguments)
    except MemoryError as error:
        # While the guard itself began or ended.
        return report_no_memory(error)
    return guard.status
