"""The two kinds of error that a user can mend, and how errors of other programs are told.

The message of either is one line for a person: what is wrong, in which file, and what to do. The command
line prints it after ``facepart: `` and exits with :attr:`FacepartError.exit_status`; a library user catches it.
"""


class FacepartError(Exception):
    """The work cannot be done with what was given: a folder, a file or a network is not as it must be."""

    exit_status = 1


class UsageError(FacepartError):
    """The call itself is wrong: an option that is unknown, missing, or at odds with another."""

    exit_status = 2


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text that says something, for errors of other programs; else its kind."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
