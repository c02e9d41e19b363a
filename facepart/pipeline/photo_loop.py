"""The loop over photos that the commands share: failures are collected, and progress is reported."""

from collections.abc import Iterator, Sequence

from facepart.data.photo_input import PhotoError
from facepart.files.failures import Failure
from facepart.files.progress import Progress, StepTimes
from facepart.pipeline.executor import Session
from facepart.pipeline.worker import PhotoResult, PhotoTask


def work_through(
    session: Session[PhotoTask, PhotoResult],
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
