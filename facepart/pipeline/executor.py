"""Who works on the photos of a run: this process, or many processes, here or on other machines.

A stage makes a :class:`~facepart.pipeline.worker.PhotoWorker` and gives it to an :class:`Executor`, which opens its
networks and maps it over photos, as ``concurrent.futures`` does. :class:`LocalExecutor`, the default of every stage,
does that in this process; :class:`facepart.cluster.ray_executor.RayExecutor` on the nodes of a Ray cluster.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from facepart.data.photo_input import PhotoError
from facepart.files.progress import StepTimes
from facepart.networks.engine_choice import choose_device, choose_precision
from facepart.pipeline.worker import PhotoResult, PhotoTask, PhotoWorker, RecogniserInfo
from facepart.processors import processors


class Session(Protocol):
    """Open networks, at work somewhere.

    Attributes:
        info: of each recogniser.
    """

    info: tuple[RecogniserInfo, ...]

    def map(self, tasks: Sequence[PhotoTask], /) -> Iterator[tuple[PhotoTask, PhotoResult | PhotoError]]:
        """Work on photos; may be called once. Yields each task with its result, or the reason why there is none."""
        ...


class Capacity(NamedTuple):
    """How much work can be done at a time.

    Attributes:
        workers: how many photo workers run side by side.
        processors: how many processors there are in all.
    """

    workers: int
    processors: int


class Executor(Protocol):
    """Maps workers over photos."""

    def capacity(self) -> Capacity:
        """Count the photo workers and the processors."""
        ...

    def choose_engine(self, device: str, precision: str) -> tuple[str, str]:
        """Return the device and the precision that names mean where the work is done.

        Raises:
            UsageError: one is unknown, or not available.
        """
        ...

    def start(self, worker: PhotoWorker, times: StepTimes, paths: Sequence[Path]) -> Session:
        """Open a worker's networks where the work is done; results may come in any order.

        Args:
            worker: works on the photos.
            times: collects the time of each step, wherever it was spent.
            paths: folders and files that the work reads and writes.

        Raises:
            FacepartError: the networks cannot be opened.
        """
        ...


class LocalExecutor:
    """Works in this process, in order."""

    def capacity(self) -> Capacity:
        """Return one worker, which uses all processors that this process may use."""
        return Capacity(1, processors())

    def choose_engine(self, device: str, precision: str) -> tuple[str, str]:
        """Return the device and the precision that names mean on this machine."""
        return choose_engine(device, precision)

    def start(self, worker: PhotoWorker, times: StepTimes, paths: Sequence[Path]) -> Session:
        """Open the worker's networks in this process."""
        del paths
        worker.open(times, None)
        return worker


LOCAL = LocalExecutor()


def choose_engine(device: str, precision: str) -> tuple[str, str]:
    """Return the device and the precision that names mean on this machine.

    Raises:
        UsageError: one is unknown, or not available.
    """
    device = choose_device(device)
    return device, choose_precision(device, precision)
