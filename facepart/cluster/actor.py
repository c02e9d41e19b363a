"""What runs on the nodes of a cluster for photos: a process that opens the networks once and is handed shards."""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import cv2

from facepart import __version__
from facepart.data.photo_input import PhotoError
from facepart.errors import FacepartError
from facepart.files.progress import StepTimes
from facepart.pipeline.worker import PhotoResult, PhotoTask, PhotoWorker, RecogniserInfo


class Start(NamedTuple):
    """How work is begun on a node.

    Attributes:
        version: of the program that hands it out.
        folder: where that runs; paths may be relative to it.
        threads: processors that a worker may take.
    """

    version: str
    folder: Path
    threads: int


class Done(NamedTuple):
    """What a worker hands back: a result for each item, in order, and the seconds that each step took since."""

    results: list[PhotoResult | PhotoError]
    seconds: dict[str, float]


class Actor:
    """Holds a worker on a node, as a Ray actor. :meth:`work` may run in several threads, so that none waits."""

    def __init__(self) -> None:
        self._times = StepTimes()
        self._worker: PhotoWorker | None = None

    def open(self, worker: PhotoWorker, start: Start) -> tuple[str, tuple[RecogniserInfo, ...]]:
        """Open the worker's networks.

        Returns:
            The node, in Ray's naming, and what the stage needs to know of the networks.

        Raises:
            FacepartError: they cannot be opened, or this node has another version of the program.
        """
        import ray

        if start.version != __version__:
            raise FacepartError(
                f"the program is version {start.version}, but {socket.gethostname()} has {__version__}; install the "
                "same version on every node"
            )
        with suppress(OSError):  # paths that are relative to it are found to be missing
            os.chdir(start.folder)
        cv2.setNumThreads(start.threads)
        worker.open(self._times, start.threads)
        self._worker = worker
        return ray.get_runtime_context().get_node_id(), worker.info

    def work(self, items: Sequence[PhotoTask], paths: Sequence[Path]) -> Done:
        """Work on a shard of items.

        Args:
            items: the shard.
            paths: folders and files that must exist.

        Raises:
            FacepartError: one of `paths` does not exist, or as the work raises it.
        """
        assert self._worker is not None  # noqa: S101 - the pool opens before it hands out
        for path in paths:
            if not path.exists():
                raise FacepartError(
                    f"{path}: is not on {socket.gethostname()}; photos and outputs must lie where all nodes see them"
                )
        results = [result for _, result in self._worker.map(items)]
        return Done(results, self._times.take())
