"""A cluster whose workers die of certain photos, for the tests."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from facepart.cluster.executor import Cluster
from facepart.files.progress import StepTimes
from facepart.pipeline.executor import Opened, OpenWork


class DeadlyCluster(Cluster):
    """Kills the worker that comes to one of the photos named `always`; to one of `once`, the first time."""

    def __init__(self, notes: Path, always: Sequence[str] = (), once: Sequence[str] = ()) -> None:
        """Take a folder in which workers note what they came to."""
        super().__init__("cpu")
        self._plant = partial(_open_deadly, notes=notes, always=always, once=once)

    def open(self, open_work: OpenWork[Any, Any], times: StepTimes, places: Sequence[Path]) -> Opened[Any, Any]:
        return super().open(partial(self._plant, open_work), times, places)


def _open_deadly(
    open_work: OpenWork[Any, Any],
    times: StepTimes,
    threads: int | None,
    *,
    notes: Path,
    always: Sequence[str],
    once: Sequence[str],
) -> Opened[Any, Any]:
    opened = open_work(times, threads)

    def work(items: Sequence[Any]) -> Iterator[Any]:
        # What comes before it is done, so that it is done twice.
        for item in items:
            yield from opened.work([item])
            name = getattr(item, "photo", item).name
            times_had = len(list(notes.glob(f"{name}-*")))
            (notes / f"{name}-{times_had}").touch()
            if name in always or (name in once and not times_had):
                os._exit(1)

    return Opened(work, opened.about)
