"""Files that could not be processed: ``failures.csv`` (path, stage, reason)."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.atomic import write_text

FAILURES_FILE = "failures.csv"


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


def sorted_failures(failures: Iterable[Failure], paths: Iterable[Path]) -> list[Failure]:
    """Sort failures into the order of the files."""
    places = {path: place for place, path in enumerate(paths)}
    return sorted(failures, key=lambda failure: places[failure.path])


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
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["path", "stage", "reason"])
    writer.writerows([str(failure.path), failure.stage, failure.reason] for failure in failures)
    # Bytes of a path that are not valid UTF-8 are replaced.
    write_text(path, buffer.getvalue().encode("utf-8", "replace").decode("utf-8"))
