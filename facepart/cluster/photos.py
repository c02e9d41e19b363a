"""Photos worked on by the nodes of a Ray cluster, to the results of one machine.

There is a worker a GPU or, without GPUs, one for every few processors (:mod:`facepart.cluster.worker`). Each opens
the networks once; :mod:`facepart.cluster.pool` hands shards of photos to them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from facepart.cluster.pool import Pool, Size, why
from facepart.cluster.room import alive_nodes, wait_for_room
from facepart.engines.spread import Opened, OpenWork, choose_engine
from facepart.errors import FacepartError, UsageError
from facepart.files.progress import StepTimes

Item = TypeVar("Item")
Result = TypeVar("Result")

# Processors of a worker where there are no GPUs, at most. Its threads share one copy of the weights; beyond a few,
# Python's lock would keep those that read and blur from using them.
PROCESSORS = 4


class Cluster:
    """Has work done by the cluster that this process is connected to; see :class:`facepart.engines.spread.Spread`."""

    def __init__(self, device: str = "auto") -> None:
        """Tell which device the work is meant for.

        Args:
            device: ``cpu``, ``cuda``, or ``auto``: GPUs if the cluster has any.

        Raises:
            UsageError: a GPU is named by its number. FacepartError: there are no GPUs.
        """
        if device.startswith("cuda:"):
            raise UsageError(
                f"--device {device}: on a cluster, every worker has a GPU of its own; give --device cuda"
            )
        self._on_gpus = device != "cpu" and any(gpus for _, gpus in _nodes())
        if device == "cuda" and not self._on_gpus:
            raise FacepartError("--device cuda: no node of the cluster has a GPU; give --device cpu")

    def choose(self, device: str, precision: str) -> tuple[str, str]:
        """Give the device and the precision that names mean on a node of the cluster; wait until one has room.

        Raises:
            UsageError: one is not known, or not there. FacepartError: the cluster has no room for a worker.
        """
        import ray

        size = self._size()
        wait_for_room(size.processors, size.gpus)
        task: Any = ray.remote(num_cpus=size.processors, num_gpus=size.gpus)(choose_engine)
        named = "cpu" if device == "auto" and not self._on_gpus else device
        try:
            chosen: tuple[str, str] = ray.get(task.remote(named, precision))
        except ray.exceptions.RayError as error:
            raise why(error) from error
        return chosen

    def open(
        self, open_work: OpenWork[Item, Result], times: StepTimes, places: Sequence[Path]
    ) -> Opened[Item, Result]:
        """Open networks on the nodes; on one, before this returns.

        Raises:
            FacepartError: they cannot be opened, or the cluster has no room for a worker.
        """
        pool: Pool[Item, Result] = Pool(open_work, self._size(), self._room, times, places)
        return Opened(pool.work, pool.wait_for_one())

    def _size(self) -> Size:
        """Measure workers by the nodes that are there now: all are alike, so that any of these nodes takes any.

        Raises:
            FacepartError: there is no room for one.
        """
        if self._on_gpus:
            shares = [max(cpus // gpus, 1) for cpus, gpus in _nodes() if cpus and gpus]
            size = Size(min(shares, default=1), gpus=1)
        else:
            size = Size(min([PROCESSORS, *(cpus for cpus, _ in _nodes() if cpus)]), gpus=0)
        if not self._room(size):
            raise FacepartError(
                "--ray: the cluster has no processors; add nodes with `ray start --address HOST:6379`"
            )
        return size

    def _room(self, size: Size) -> int:
        """Count the workers of a size that the nodes that are there now have room for."""
        return sum(min(cpus // size.processors, gpus if size.gpus else cpus) for cpus, gpus in _nodes())


def _nodes() -> list[tuple[int, int]]:
    """Give the processors and GPUs of every node that is alive."""
    there = [node["Resources"] for node in alive_nodes()]
    return [(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in there]
