"""The processors and GPUs of a cluster's nodes, and how many workers fit on them: for photos, and for pairs."""

from collections.abc import Sequence
from typing import NamedTuple

from facepart.cluster.nodes import alive_nodes
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


class WorkerSize(NamedTuple):
    """What a worker takes of a node."""

    processors: int
    gpus: int


def nodes_there() -> list[Node]:
    """List the nodes that are alive of the cluster that this process is connected to."""
    there = [node["Resources"] for node in alive_nodes()]
    return [Node(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in there]


def size_of_workers(nodes: Sequence[Node], on_gpus: bool) -> WorkerSize:
    """Measure workers by some nodes: all are alike, so that any of these nodes takes any.

    Args:
        nodes: those that there are; some may lend no processors.
        on_gpus: whether each worker has a GPU.

    Example:
        >>> size_of_workers([Node(64), Node(2)], on_gpus=False)
        WorkerSize(processors=2, gpus=0)
        >>> size_of_workers([Node(64, 8)], on_gpus=True)
        WorkerSize(processors=8, gpus=1)
    """
    if on_gpus:
        shares = [max(node.processors // node.gpus, 1) for node in nodes if node.processors and node.gpus]
        return WorkerSize(min(shares, default=1), gpus=1)
    return WorkerSize(min([PROCESSORS, *(node.processors for node in nodes if node.processors)]), gpus=0)


def size_of_tasks(nodes: Sequence[Node]) -> WorkerSize:
    """Choose the processors of a task that counts pairs: at most 8, no node without room, as few left idle as can be.

    Example:
        >>> [size_of_tasks([Node(each) for each in there]).processors for there in ((64, 64), (6, 0, 64), (1, 8))]
        [8, 2, 1]
    """
    lent = [node.processors for node in nodes if node.processors]
    most = min([_TASK_PROCESSORS, *lent])
    used = {each: sum(has // each * each for has in lent) for each in range(1, most + 1)}
    return WorkerSize(max(each for each in used if used[each] == max(used.values())), gpus=0)


def room_for(nodes: Sequence[Node], size: WorkerSize) -> int:
    """Count the workers of a size that nodes have room for.

    Example:
        >>> room_for([Node(64), Node(6)], WorkerSize(4, 0)), room_for([Node(64, 4), Node(6)], WorkerSize(8, 1))
        (17, 4)
    """
    return sum(min(node.processors // size.processors, node.gpus if size.gpus else node.processors) for node in nodes)


def room_now(size: WorkerSize) -> int:
    """Count the workers of a size that the connected cluster has room for now."""
    return room_for(nodes_there(), size)


def some_room_for(nodes: Sequence[Node], size: WorkerSize) -> int:
    """Count the workers of a size that nodes have room for, of which there has to be one.

    Raises:
        FacepartError: there is room for none.
    """
    room = room_for(nodes, size)
    if not room:
        raise FacepartError("--ray: the cluster has no processors; add nodes with `ray start --address HOST:6379`")
    return room
