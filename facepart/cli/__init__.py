"""The commands. Only this package prints, parses arguments or exits.

A command is a module of its own name (``blur``, ``extract``, ``match``, ``plot``, ``study``, ``lists``, ``models``,
``demo``); :class:`facepart.cli.program.Command` says what such a module has. :mod:`facepart.cli.program` finds the
module, runs it, and turns an error that a user can mend, or an interruption, into one line on standard error.

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
from typing import TYPE_CHECKING, Any

from facepart.cli.guard import Guard

if TYPE_CHECKING:
    from facepart.cli.program import main, run_command, run_face_matching

__all__ = ["main", "run", "run_command", "run_face_matching"]


def run() -> None:
    """Run the console script."""
    with Guard() as guard:
        # Imported here, where Ctrl-C is caught already.
        from facepart.cli.program import main

        guard.status = main(sys.argv[1:])
    sys.exit(guard.status)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from facepart.cli import program

    return getattr(program, name)
