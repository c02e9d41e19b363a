"""Files that could not be processed: ``failures.csv`` (path, stage, reason)."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.files.csv_text import csv_text

FAILURES_FILE = "failures.csv"
# Errors of writing that other files are likely to meet as well: a full or failing disk, a lack of resources.
_OF_ALL_FILES = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENODEV}
    | {errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN}
)


@dataclass(frozen=True)
class Failure:
    """A file that a stage could not process.

    Attributes:
        path: the file, as it was found or listed.
        stage: the stage that failed, e.g. ``read``, ``align`` or ``write``.
        reason: the reason, on one line.
    """

    path: Path
    stage: str
    reason: str


@dataclass
class Outcome:
    """What a stage did with its files.

    Attributes:
        done: number of files processed in this run.
        skipped: number of files whose outputs existed.
        failures: files that could not be processed.
    """

    done: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Whether there is any output, of this run or an earlier one."""
        return self.done + self.skipped > 0


def of_one_file(error: FacepartError) -> bool:
    """Return whether an error of writing is about its file alone, so that others can still be written.

    Such as a name that is too long, a folder without permission, a file where a folder should be. A full or failing
    disk is not, nor is a store that cannot be reached.
    """
    cause = error.__cause__
    return cause is None or (
        isinstance(cause, OSError) and cause.errno is not None and cause.errno not in _OF_ALL_FILES
    )


def write_failures(folder: Path, failures: Sequence[Failure]) -> None:
    """Write ``failures.csv`` into `folder`; without failures, remove that of an earlier run.

    Every run tries the failed files again, so the list is that of the last run.
    """
    path = folder / FAILURES_FILE
    if not failures:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise FacepartError(f"{path}: cannot be removed: {error.strerror or error}") from error
        return
    rows = [[str(failure.path), failure.stage, failure.reason] for failure in failures]
    # Bytes of a path that are not valid UTF-8 are replaced.
    write_text(path, csv_text([["path", "stage", "reason"], *rows]).encode("utf-8", "replace").decode("utf-8"))
