"""What could not be done, told file by file: ``failures.csv`` (path, stage, reason)."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facepart.files.atomic import write_text

FAILURES_FILE = "failures.csv"


@dataclass(frozen=True)
class Failure:
    """One file that a stage could not work on.

    Attributes:
        path: the file, as it was found or listed.
        stage: the stage it failed in, e.g. ``read``, ``align`` or ``write``.
        reason: why, in words for a person, on one line.
    """

    path: Path
    stage: str
    reason: str


@dataclass
class Outcome:
    """What a stage did with the files it was given.

    Attributes:
        done: files worked on in this run.
        skipped: files whose outputs were there already.
        failures: files that could not be worked on.
    """

    done: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Whether any output is there at all, made now or before."""
        return self.done + self.skipped > 0


def sorted_failures(failures: Iterable[Failure], paths: Iterable[Path]) -> list[Failure]:
    """Sort failures, which come in the order in which they happened, by the order of the files they are of."""
    places = {path: place for place, path in enumerate(paths)}
    return sorted(failures, key=lambda failure: places[failure.path])


def write_failures(folder: Path, failures: Sequence[Failure]) -> None:
    """Write ``failures.csv`` into `folder`; without failures, remove the one an earlier run left.

    Every run tries the failed files again, so the list is always that of the last run.
    """
    path = folder / FAILURES_FILE
    if not failures:
        path.unlink(missing_ok=True)
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["path", "stage", "reason"])
    writer.writerows([str(failure.path), failure.stage, failure.reason] for failure in failures)
    # A path that is no UTF-8 is told with its odd bytes replaced.
    write_text(path, buffer.getvalue().encode("utf-8", "replace").decode("utf-8"))
