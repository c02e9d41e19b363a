"""The nodes of a cluster, in numbers, and the workers that they have room for."""

from collections.abc import Sequence
from typing import NamedTuple

from facepart.cluster.pool import Size

# Processors of a worker where there are no GPUs, at most. Its threads share one copy of the weights; beyond a few,
# Python's lock would keep those that read and blur from using them.
PROCESSORS = 4


class Node(NamedTuple):
    """A node: its processors and GPUs, as Ray counts them."""

    processors: int
    gpus: int = 0


def nodes_there() -> list[Node]:
    """List the nodes that are alive of the cluster that this process is connected to."""
    import ray

    there = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [Node(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in there]


def size_of_workers(nodes: Sequence[Node], on_gpus: bool) -> Size:
    """Measure the workers for photos by the nodes: all are alike, so that any node takes any.

    Args:
        nodes: those that there are.
        on_gpus: whether each worker has a GPU.

    Example:
        >>> size_of_workers([Node(64), Node(2)], on_gpus=False)
        Size(processors=2, gpus=0, room=33)
        >>> size_of_workers([Node(64, 8)], on_gpus=True)
        Size(processors=8, gpus=1, room=8)
    """
    if on_gpus:
        able = [(cpus, gpus) for cpus, gpus in nodes if cpus and gpus]
        processors = min((max(cpus // gpus, 1) for cpus, gpus in able), default=1)
        return Size(processors, 1, sum(min(gpus, cpus // processors) for cpus, gpus in able))
    processors = min([PROCESSORS, *(cpus for cpus, _ in nodes if cpus)])
    return Size(processors, 0, sum(cpus // processors for cpus, _ in nodes))
