"""The commands. Only this room prints, parses arguments or exits; one module a command.

A command is a module with a docstring (its description), ``add_arguments(parser)`` and ``execute(arguments) -> int``
(the exit status). :func:`main` gives every command the same manners: an error that a user can mend is one line on
standard error, an interruption is another.
"""

from facepart.cli.program import main, run, run_command, run_face_matching

__all__ = ["main", "run", "run_command", "run_face_matching"]
