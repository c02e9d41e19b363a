"""A cluster whose workers die of certain photos, for the tests."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from facepart.cluster.ray_executor import RayExecutor
from facepart.data.photo_input import PhotoError
from facepart.files.progress import StepTimes
from facepart.pipeline.executor import Session
from facepart.pipeline.worker import PhotoResult, PhotoTask, PhotoWorker


class DeadlyCluster(RayExecutor):
    """Kills the worker that comes to one of the photos named `always`; to one of `once`, the first time."""

    def __init__(self, notes: Path, always: Sequence[str] = (), once: Sequence[str] = ()) -> None:
        """Take a folder in which workers note what they came to."""
        super().__init__("cpu")
        self._planted = (notes, always, once)

    def start(self, worker: PhotoWorker, times: StepTimes, paths: Sequence[Path]) -> Session:
        return super().start(DeadlyWorker(worker, *self._planted), times, paths)


class DeadlyWorker(PhotoWorker):
    """A worker that dies of certain photos."""

    def __init__(self, worker: PhotoWorker, notes: Path, always: Sequence[str], once: Sequence[str]) -> None:
        self._worker, self._notes, self._always, self._once = worker, notes, always, once

    def open(self, times: StepTimes, threads: int | None) -> None:
        self._worker.open(times, threads)
        self.info = self._worker.info

    def map(self, tasks: Iterable[PhotoTask]) -> Iterator[tuple[PhotoTask, PhotoResult | PhotoError]]:
        # What comes before it is done, so that it is done twice.
        for task in tasks:
            yield from self._worker.map([task])
            name = task.photo.name
            times_had = len(list(self._notes.glob(f"{name}-*")))
            (self._notes / f"{name}-{times_had}").touch()
            if name in self._always or (name in self._once and not times_had):
                os._exit(1)
