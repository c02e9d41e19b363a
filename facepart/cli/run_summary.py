"""What a run prints: its progress, the time of each step, and the last line."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from facepart.cli.guard import print_error
from facepart.cli.progress_bar import ProgressBar
from facepart.cli.ray import executor_for
from facepart.counts import count_of
from facepart.files.failures import FAILURES_FILE, Failure, Outcome
from facepart.files.progress import StepTimes

_Ran = TypeVar("_Ran", bound=Outcome)


def run_stage(command: str, stage: Callable[..., _Ran], arguments: argparse.Namespace, device: str) -> _Ran:
    """Run a stage, here or on a cluster; with ``--profile``, print how long each step took.

    Args:
        command: its name, for the progress.
        stage: takes an executor, progress and times.
        arguments: those of :func:`facepart.cli.hardware_options.add_worker_arguments` among them.
        device: see :func:`facepart.cli.ray.executor_for`.

    Returns:
        What the stage returns.
    """
    times = StepTimes()
    with executor_for(arguments.ray, device) as executor, ProgressBar(command) as progress:
        outcome = stage(executor=executor, progress=progress, times=times)
    if arguments.profile:
        print(times_table(times, outcome.done))
    return outcome


def print_last_line(verb: str, outcome: Outcome, folder: Path) -> int:
    """Print how many photos were done, skipped and failed.

    Args:
        verb: what was done to the photos, e.g. ``embedded``.
        outcome: of the run.
        folder: where its outputs are.

    Returns:
        The exit status: 1 if every photo failed, else 0.
    """
    line = f"{verb} {count_of(outcome.done, 'photo')} into {folder}"
    if outcome.skipped:
        line += f", skipped {outcome.skipped} (already {verb})"
    if outcome.failures:
        line += f", {len(outcome.failures)} failed (see {folder / FAILURES_FILE})"
    print(line)
    if outcome.succeeded:
        warn_of_failures(outcome.failures)
        return 0
    first = outcome.failures[0]
    print_error(f"no photo could be {verb}; first failure: {first.path}: {first.reason}")
    return 1


def warn_of_failures(failures: Sequence[Failure]) -> None:
    """Name the first photo that failed on standard error, which a log of a batch job keeps."""
    if failures:
        print_error(f"{count_of(len(failures), 'photo')} failed; first: {failures[0].path}: {failures[0].reason}")


def several_faces(photos: int, folder: Path) -> str:
    """Return a line about photos with several faces, whose table is in `folder`."""
    return (
        f"several faces in {count_of(photos, 'photo')}: the largest near the centre was aligned (see status and "
        f"next_area in {folder / 'faces.csv'})"
    )


def times_table(times: StepTimes, photos: int) -> str:
    """Return a table of the time of each step: seconds in total, and milliseconds per photo."""
    lines = [f"{'step':34}{'seconds':>9}{'ms per photo':>14}"]
    for step in sorted(times.seconds, key=times.seconds.__getitem__, reverse=True):
        seconds = times.seconds[step]
        lines.append(f"{step:34}{seconds:9.2f}{1000 * seconds / max(photos, 1):14.2f}")
    lines.append("Steps other than the network run in I/O threads beside it; their times are sums over threads.")
    return "\n".join(lines)
