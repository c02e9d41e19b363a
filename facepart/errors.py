"""The two kinds of error that a user can mend.

The message of either is one line for a person: what is wrong, in which file, and what to do. The command
line prints it after ``facepart: `` and exits with :attr:`FacepartError.exit_status`; a library user catches it.
"""


class FacepartError(Exception):
    """The work cannot be done with what was given: a folder, a file or a network is not as it must be."""

    exit_status = 1


class UsageError(FacepartError):
    """The call itself is wrong: an option that is unknown, missing, or at odds with another."""

    exit_status = 2
