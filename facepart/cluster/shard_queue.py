"""The queue of shards: which items a worker gets next, and what happens to those of a worker that died.

Items are handed out in shards. If a node dies, its shards are handed out again unchanged. If only a worker dies, one
of its items may be the cause: once all shards are handed out, its items are handed out again one at a time, each to a
worker that has nothing else. An item is given up when its third worker dies.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from facepart.data.photo_input import PhotoError
from facepart.pipeline.worker import PhotoTask

# Items in a shard: they take some seconds, handing out a shard takes milliseconds.
SHARD = 64
# Workers that may die with an item before it is given up.
TRIES = 3
# Nodes that may die with a shard before its items are suspected as the cause.
_NODES = 3


@dataclass
class Shard:
    """Items that go to a worker together.

    Attributes:
        items: the items.
        worker_deaths: number of workers that died with them.
        node_deaths: number of nodes that died with them.
    """

    items: Sequence[PhotoTask]
    worker_deaths: int = 0
    node_deaths: int = 0


class Queue:
    """The shards that no worker has."""

    def __init__(self, items: Sequence[PhotoTask]) -> None:
        """Cut `items` into shards."""
        self._shards = deque(Shard(items[first : first + SHARD]) for first in range(0, len(items), SHARD))
        self._suspects: deque[Shard] = deque()

    def __len__(self) -> int:
        """Return the number of shards to hand out."""
        return len(self._shards) + len(self._suspects)

    def next(self, idle: bool) -> Shard | None:
        """Return the next shard, and remove it from the queue; None if there is none.

        Args:
            idle: whether the worker has no other shard. Only such a worker gets an item that may kill it.
        """
        if self._shards:
            return self._shards.popleft()
        return self._suspects.popleft() if self._suspects and idle else None

    def take_back(self, shard: Shard, node_died: bool) -> list[tuple[PhotoTask, PhotoError]]:
        """Take back the shard of a worker that died, and return the items that are given up.

        Args:
            shard: the shard.
            node_died: whether the whole node died.
        """
        if node_died and shard.node_deaths < _NODES:
            shard.node_deaths += 1
            (self._suspects if shard.worker_deaths else self._shards).append(shard)
            return []
        deaths = shard.worker_deaths + 1
        if len(shard.items) == 1 and deaths >= TRIES:
            return [(shard.items[0], PhotoError("its worker died three times", stage="worker"))]
        self._suspects.extend(Shard([item], deaths) for item in shard.items)
        return []
