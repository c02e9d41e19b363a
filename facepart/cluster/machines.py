"""The nodes of a cluster, in numbers, and the workers that they have room for."""

from collections.abc import Sequence
from typing import NamedTuple

from facepart.cluster.photos import PROCESSORS


class Node(NamedTuple):
    """A node: its processors and GPUs, as Ray counts them."""

    processors: int
    gpus: int = 0


class Workers(NamedTuple):
    """Workers for photos: the processors that each takes, and how many there is room for."""

    processors: int
    room: int


def nodes_there() -> list[Node]:
    """List the nodes that are alive of the cluster that this process is connected to."""
    import ray

    there = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [Node(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in there]


def workers_on(nodes: Sequence[Node], on_gpus: bool) -> Workers:
    """Measure the workers for photos as :class:`facepart.cluster.photos.Cluster` does.

    Args:
        nodes: those that there are.
        on_gpus: whether each worker has a GPU.

    Example:
        >>> workers_on([Node(64), Node(2)], on_gpus=False)
        Workers(processors=2, room=33)
        >>> workers_on([Node(64, 8)], on_gpus=True)
        Workers(processors=8, room=8)
    """
    if on_gpus:
        able = [(cpus, gpus) for cpus, gpus in nodes if cpus and gpus]
        processors = min((max(cpus // gpus, 1) for cpus, gpus in able), default=1)
        return Workers(processors, sum(min(gpus, cpus // processors) for cpus, gpus in able))
    processors = min([PROCESSORS, *(cpus for cpus, _ in nodes if cpus)])
    return Workers(processors, sum(cpus // processors for cpus, _ in nodes))
