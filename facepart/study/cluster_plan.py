"""The size of a study, the nodes of a cluster and measured rates -> how long it takes there, and what it needs."""

from collections.abc import Sequence

from facepart.cluster.estimate import NETWORK, Rates
from facepart.cluster.machines import Node
from facepart.study.cost import (
    NETWORKS_BYTES,
    PhotoCost,
    StudySize,
    bytes_of_rows,
    compare_on,
    seconds_here,
    seconds_to_embed,
)


def time_in_words(embedding: float, comparing: float) -> str:
    """Say how long photos and pairs take."""
    return (
        f"time: about {_duration(embedding + comparing)} ({_duration(embedding)} for the photos, "
        f"{_duration(comparing)} for the pairs)"
    )


def plan_on_cluster(
    size: StudySize, photo: PhotoCost, rates: Rates, nodes: Sequence[Node], workers: int
) -> list[str]:
    """Say how long a study takes on a cluster, what limits it, and how much memory its nodes need.

    Args:
        size: of the study.
        photo: what one costs.
        rates: of comparing.
        nodes: of the cluster.
        workers: for photos; how many it has room for.
    """
    embedding = seconds_to_embed(size, photo, workers)
    times, memory = compare_on(nodes, size, photo.dimension, rates)
    comparing, limit = sum(each.total for each in times), max(times, key=lambda each: each.total).limit
    if "pairs" in size.keep:
        comparing = seconds_here(size, rates, nodes[0].processors)
        limit = "the command's node, which alone compares what is kept"
    lines = [
        f"on {_nodes_in_words(nodes)}; workers for photos: {workers}",
        time_in_words(embedding.total, comparing),
    ]
    if size.todo:
        speed = size.todo * photo.read / embedding.total
        lines.append(f"photos: limited by {embedding.limit}; read from storage at {speed / 1e6:.0f} MB/s")
    lines.append(f"pairs: limited by {limit}")
    command, store = (max(each[place] for each in memory) + bytes_of_rows(size) * (place == 0) for place in (0, 1))
    # The workers for photos end before pairs are compared.
    networks = -(-workers // len(nodes)) * NETWORKS_BYTES if size.todo else 0.0
    at_work = max(networks, *(each.workers for each in memory))
    other = max(each.store for each in memory)
    lines.append(
        f"memory: about {(command + store + at_work) / 1e9:.1f} GB of the command's node (command "
        f"{command / 1e9:.1f}, Ray's store {store / 1e9:.1f}, workers {at_work / 1e9:.1f})"
    )
    if len(nodes) > 1:
        lines.append(
            f"memory: about {(other + at_work) / 1e9:.1f} GB of each other node (Ray's store {other / 1e9:.1f}, "
            f"workers {at_work / 1e9:.1f})"
        )
    return lines


def _nodes_in_words(nodes: Sequence[Node]) -> str:
    """Count nodes and what they have."""
    gpus, processors = sum(node.gpus for node in nodes), sum(node.processors for node in nodes)
    said = f"{len(nodes)} nodes, {NETWORK * 8 / 1e9:.0f} Gbit/s from one to the other" if len(nodes) > 1 else "1 node"
    return f"{said}, {processors} processors{f' and {gpus} GPUs' if gpus else ''} in all"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
