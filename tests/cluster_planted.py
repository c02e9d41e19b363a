"""A cluster whose workers die of certain photos, for the tests."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from facepart.cluster.ray_executor import RayExecutor
from facepart.files.progress import StepTimes
from facepart.pipeline.executor import Session, Worker


class DeadlyCluster(RayExecutor):
    """Kills the worker that comes to one of the photos named `always`; to one of `once`, the first time."""

    def __init__(self, notes: Path, always: Sequence[str] = (), once: Sequence[str] = ()) -> None:
        """Take a folder in which workers note what they came to."""
        super().__init__("cpu")
        self._planted = (notes, always, once)

    def start(self, worker: Worker[Any, Any], times: StepTimes, paths: Sequence[Path]) -> Session[Any, Any]:
        return super().start(DeadlyWorker(worker, *self._planted), times, paths)


class DeadlyWorker:
    """A worker that dies of certain photos."""

    def __init__(self, worker: Worker[Any, Any], notes: Path, always: Sequence[str], once: Sequence[str]) -> None:
        self.info: Any = None
        self._worker, self._notes, self._always, self._once = worker, notes, always, once

    def open(self, times: StepTimes, threads: int | None) -> None:
        self._worker.open(times, threads)
        self.info = self._worker.info

    def map(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        # What comes before it is done, so that it is done twice.
        for task in tasks:
            yield from self._worker.map([task])
            name = task.photo.name
            times_had = len(list(self._notes.glob(f"{name}-*")))
            (self._notes / f"{name}-{times_had}").touch()
            if name in self._always or (name in self._once and not times_had):
                os._exit(1)
