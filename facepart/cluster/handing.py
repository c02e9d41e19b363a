"""Which items go to a worker next, and what becomes of those whose worker died.

Items go out in shards. When a node dies, its shards go out again as they are. When a worker dies on its own, one of
the items it had may have killed it: these go out again one by one, each alone with a worker, once all shards are out.
An item that has lost its third worker is set aside.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from facepart.data.photo_input import PhotoError

Item = TypeVar("Item")

# Items in a shard: some seconds' work, against the milliseconds that it takes to hand one out.
SHARD = 64
# Workers that an item may lose.
TRIES = 3
# Nodes that a shard may lose before it is thought to have killed them.
_NODES = 3


@dataclass
class Shard(Generic[Item]):
    """Items that go to a worker together.

    Attributes:
        items: the items.
        deaths: workers that died with them.
        lost: nodes that died with them.
    """

    items: Sequence[Item]
    deaths: int = 0
    lost: int = 0


class Queue(Generic[Item]):
    """What is to be handed out."""

    def __init__(self, items: Sequence[Item]) -> None:
        """Cut `items` into shards."""
        self._shards = deque(Shard(items[first : first + SHARD]) for first in range(0, len(items), SHARD))
        self._suspects: deque[Shard[Item]] = deque()

    def __len__(self) -> int:
        """Count the shards that are to be handed out."""
        return len(self._shards) + len(self._suspects)

    def next(self, idle: bool) -> Shard[Item] | None:
        """Take what goes out next; None if there is nothing.

        Args:
            idle: whether the worker has nothing else: an item that may kill it goes to no other.
        """
        if self._shards:
            return self._shards.popleft()
        return self._suspects.popleft() if self._suspects and idle else None

    def take_back(self, shard: Shard[Item], node_died: bool) -> list[tuple[Item, PhotoError]]:
        """Take back a shard whose worker died; give what is set aside.

        Args:
            shard: what the worker had.
            node_died: whether the whole node died.
        """
        if node_died and shard.lost < _NODES:
            shard.lost += 1
            (self._suspects if shard.deaths else self._shards).append(shard)
            return []
        deaths = shard.deaths + 1
        if len(shard.items) == 1 and deaths >= TRIES:
            return [(shard.items[0], PhotoError("its worker died three times", stage="worker"))]
        self._suspects.extend(Shard([item], deaths) for item in shard.items)
        return []
