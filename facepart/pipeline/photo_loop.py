"""The loop over photos that the commands share: failures are collected, and progress is reported."""

import errno
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from facepart.data.photo_input import PhotoError
from facepart.errors import FacepartError
from facepart.files.failures import Failure
from facepart.files.progress import Progress, StepTimes
from facepart.pipeline.executor import Session
from facepart.pipeline.worker import PhotoResult, PhotoTask

# Errors of paths at which no output can be: a file where a folder should be, a name that is too long.
_NOT_THERE = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


def work_through(
    session: Session,
    tasks: Sequence[PhotoTask],
    failures: list[Failure],
    progress: Progress,
    times: StepTimes,
) -> Iterator[tuple[PhotoTask, PhotoResult]]:
    """Process photos; yield the results of those that did not fail, in any order.

    Args:
        session: a worker whose networks are open.
        tasks: the photos, and what to do with each.
        failures: photos that fail are appended.
        progress: is called after each photo.
        times: the time of each step, of which progress shows the bottleneck.

    Raises:
        FacepartError: as the work raises it.
    """
    for worked, (task, result) in enumerate(session.map(tasks), start=1):
        if isinstance(result, PhotoError):
            failures.append(Failure(task.photo.path, result.stage, str(result)))
        else:
            yield task, result
        progress(worked, len(tasks), times.bottleneck())


def remove_outputs(failures: Iterable[Failure], outputs: Mapping[Path, Collection[Path]]) -> None:
    """Remove what earlier runs wrote of photos that failed now: it is of a file that was replaced, or damaged.

    Args:
        failures: the photos.
        outputs: photo -> its outputs.

    Raises:
        FacepartError: an output cannot be removed.
    """
    for failure in failures:
        for path in outputs[failure.path]:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                if error.errno in _NOT_THERE or path.is_dir():
                    continue
                raise FacepartError(f"{path}: cannot be removed: {error.strerror or error}") from error
