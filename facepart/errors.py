"""The two kinds of error that a user can fix, and how errors of other programs are reported.

The message of either is one line: what is wrong, in which file, and what to do. The command
line prints it after ``facepart: `` and exits with :attr:`FacepartError.exit_status`; a library user catches it.
"""

_LONGEST = 200


class FacepartError(Exception):
    """A folder, a file or a network cannot be used."""

    exit_status = 1


class UsageError(FacepartError):
    """The call is wrong: an option is unknown, missing, or conflicts with another."""

    exit_status = 2


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text that says something, for errors of other programs; else its kind."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def one_line(text: object) -> str:
    """Return another library's error, or a text from a file, as part of one line of bounded length."""
    line = " ".join(str(text).split())
    if len(line) > _LONGEST:
        line = f"{line[:_LONGEST]}..."
    return line or type(text).__name__
