"""Photos worked on by the nodes of a Ray cluster, to the results of one machine.

There is a worker a GPU or, without GPUs, one for every few processors (:mod:`facepart.cluster.actor`). Each opens
the networks once; :mod:`facepart.cluster.pool` hands shards of photos to them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facepart.cluster.capacity import WorkerSize, nodes_there, room_now, size_of_workers, some_room_for
from facepart.cluster.nodes import wait_for_room, why
from facepart.cluster.pool import Pool
from facepart.errors import FacepartError, UsageError
from facepart.files.progress import StepTimes
from facepart.networks.engine import INT8_PARSER
from facepart.pipeline.executor import Capacity, Session, choose_engine
from facepart.pipeline.worker import PhotoWorker


class RayExecutor:
    """Works on the connected Ray cluster; see :class:`facepart.pipeline.executor.Executor`."""

    def __init__(self, device: str = "auto") -> None:
        """Choose the kind of device.

        Args:
            device: ``cpu``, ``cuda``, or ``auto``: GPUs if the cluster has any.

        Raises:
            UsageError: a GPU is named by its number. FacepartError: there are no GPUs.
        """
        if device.startswith("cuda:"):
            raise UsageError(
                f"--device {device}: on a cluster, every worker has a GPU of its own; give --device cuda"
            )
        self._on_gpus = device != "cpu" and any(node.gpus for node in nodes_there())
        if device == "cuda" and not self._on_gpus:
            raise FacepartError("--device cuda: no node of the cluster has a GPU; give --device cpu")

    def choose_engine(self, device: str, precision: str) -> tuple[str, str]:
        """Return the device and the precision that names mean on a node of the cluster; wait until one has room.

        Raises:
            UsageError: one is not known, or not there. FacepartError: the cluster has no room for a worker.
        """
        import ray

        if precision in ("int8", INT8_PARSER):
            raise UsageError(f"--precision {precision}: networks are calibrated on one machine; leave out --ray")
        size = self._size()
        wait_for_room(size.processors, size.gpus)
        task: Any = ray.remote(num_cpus=size.processors, num_gpus=size.gpus)(choose_engine)
        named = "cpu" if device == "auto" and not self._on_gpus else device
        try:
            chosen: tuple[str, str] = ray.get(task.remote(named, precision))
        except ray.exceptions.RayError as error:
            raise why(error) from error
        return chosen

    def start(self, worker: PhotoWorker, times: StepTimes, paths: Sequence[Path]) -> Session:
        """Open the worker's networks on the nodes; on one, before this returns.

        Raises:
            FacepartError: they cannot be opened, or the cluster has no room for a worker.
        """
        return Pool(worker, self._size(), times, paths)

    def capacity(self) -> Capacity:
        """Count the photo workers that the cluster has room for, and its processors.

        Raises:
            FacepartError: there is no room for a worker.
        """
        return Capacity(room_now(self._size()), sum(node.processors for node in nodes_there()))

    def _size(self) -> WorkerSize:
        """Measure workers by the nodes that are there now.

        Raises:
            FacepartError: there is no room for one.
        """
        nodes = nodes_there()
        size = size_of_workers(nodes, self._on_gpus)
        some_room_for(nodes, size)
        return size
