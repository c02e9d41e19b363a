"""The nodes of a cluster, in numbers, and the workers that they have room for: for photos, and for pairs."""

from collections.abc import Sequence
from typing import NamedTuple

from facepart.cluster.room import alive_nodes
from facepart.errors import FacepartError

# Processors of a worker where there are no GPUs, at most. Its threads share one copy of the weights; beyond a few,
# Python's lock would keep those that read and blur from using them.
PROCESSORS = 4
# Processors of a task that counts pairs, at most: its threads share PyTorch, the blocks and the results, and a node
# of many processors needs memory for few of these.
_TASK_PROCESSORS = 8


class Node(NamedTuple):
    """A node: its processors and GPUs, as Ray counts them."""

    processors: int
    gpus: int = 0


class Size(NamedTuple):
    """What a worker takes of a node."""

    processors: int
    gpus: int


def nodes_there() -> list[Node]:
    """List the nodes that are alive of the cluster that this process is connected to."""
    there = [node["Resources"] for node in alive_nodes()]
    return [Node(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in there]


def size_of_workers(nodes: Sequence[Node], on_gpus: bool) -> Size:
    """Measure workers by some nodes: all are alike, so that any of these nodes takes any.

    Args:
        nodes: those that there are; some may lend no processors.
        on_gpus: whether each worker has a GPU.

    Example:
        >>> size_of_workers([Node(64), Node(2)], on_gpus=False)
        Size(processors=2, gpus=0)
        >>> size_of_workers([Node(64, 8)], on_gpus=True)
        Size(processors=8, gpus=1)
    """
    if on_gpus:
        shares = [max(node.processors // node.gpus, 1) for node in nodes if node.processors and node.gpus]
        return Size(min(shares, default=1), gpus=1)
    return Size(min([PROCESSORS, *(node.processors for node in nodes if node.processors)]), gpus=0)


def size_of_tasks(nodes: Sequence[Node]) -> Size:
    """Choose the processors of a task that counts pairs: at most 8, no node without room, as few left idle as can be.

    Example:
        >>> [size_of_tasks([Node(each) for each in there]).processors for there in ((64, 64), (6, 0, 64), (1, 8))]
        [8, 2, 1]
    """
    lent = [node.processors for node in nodes if node.processors]
    most = min([_TASK_PROCESSORS, *lent])
    return Size(max(range(1, most + 1), key=lambda each: (sum(has // each * each for has in lent), each)), gpus=0)


def room_for(nodes: Sequence[Node], size: Size) -> int:
    """Count the workers of a size that nodes have room for.

    Example:
        >>> room_for([Node(64), Node(6)], Size(4, 0)), room_for([Node(64, 4), Node(6)], Size(8, 1))
        (17, 4)
    """
    return sum(min(node.processors // size.processors, node.gpus if size.gpus else node.processors) for node in nodes)


def some_room_for(nodes: Sequence[Node], size: Size) -> int:
    """Count the workers of a size that nodes have room for, of which there has to be one.

    Raises:
        FacepartError: there is room for none.
    """
    room = room_for(nodes, size)
    if not room:
        raise FacepartError("--ray: the cluster has no processors; add nodes with `ray start --address HOST:6379`")
    return room
