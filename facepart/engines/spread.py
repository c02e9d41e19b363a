"""Who works on the items of a run: this process, or many, here or on other machines.

A stage says how its networks are opened and what they do with items (:class:`OpenWork`); it is given a
:class:`Spread`, which has that done. :data:`HERE`, the default of every stage, does it in this process;
:class:`facepart.cluster.photos.Cluster` on the nodes of a Ray cluster.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from facepart.engines.open import choose_device, choose_precision
from facepart.engines.stream import default_workers
from facepart.files.progress import StepTimes
from facepart.images import PhotoError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Opened(Generic[Item, Result]):
    """Networks that are open, and what they are there for.

    Attributes:
        work: items -> each with its result, or why there is none; may be called once.
        about: what else the stage wants to know of the networks.
    """

    work: Callable[[Sequence[Item]], Iterator[tuple[Item, Result | PhotoError]]]
    about: Any = None


class Capacity(NamedTuple):
    """How much work can be done at a time.

    Attributes:
        workers: how many photo workers run side by side.
        processors: how many processors there are in all.
    """

    workers: int
    processors: int


class OpenWork(Protocol[Item, Result]):
    """Opens networks. It may be sent to other processes, and so must be what pickle takes."""

    def __call__(self, times: StepTimes, threads: int | None) -> Opened[Item, Result]:
        """Open them.

        Args:
            times: what the time of each step is added to.
            threads: processors that the work may take; None in the process that started the run, which takes all.
        """
        ...


class Spread(Protocol):
    """Has work done."""

    def capacity(self) -> Capacity:
        """Count the photo workers and the processors."""
        ...

    def choose(self, device: str, precision: str) -> tuple[str, str]:
        """Give the device and the precision that names mean where the work is done.

        Raises:
            UsageError: one is not known, or not there.
        """
        ...

    def open(
        self, open_work: OpenWork[Item, Result], times: StepTimes, places: Sequence[Path]
    ) -> Opened[Item, Result]:
        """Open networks where the work is done; the results may come in any order.

        Args:
            open_work: opens them.
            times: what the time of each step is added to, wherever it was spent.
            places: folders and files that the work reads and writes.

        Raises:
            FacepartError: they cannot be opened.
        """
        ...


class Here:
    """Has work done by this process, in order."""

    def capacity(self) -> Capacity:
        """Count this process as one worker, with the processors of this machine."""
        return Capacity(1, os.cpu_count() or 1)

    def choose(self, device: str, precision: str) -> tuple[str, str]:
        """Give the device and the precision that names mean on this machine."""
        return choose_engine(device, precision)

    def open(
        self, open_work: OpenWork[Item, Result], times: StepTimes, places: Sequence[Path]
    ) -> Opened[Item, Result]:
        """Open networks in this process."""
        del places
        return open_work(times, None)


HERE = Here()


def choose_engine(device: str, precision: str) -> tuple[str, str]:
    """Give the device and the precision that names mean on this machine.

    Raises:
        UsageError: one is not known, or not there.
    """
    device = choose_device(device)
    return device, choose_precision(device, precision)


def reading_threads(workers: int | None, threads: int | None) -> int:
    """Give how many threads read and write beside networks that may take `threads` processors.

    Args:
        workers: what was asked for; None for two more than there are processors.
        threads: processors; None for all.
    """
    return workers or (default_workers() if threads is None else threads + 2)
