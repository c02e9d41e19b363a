"""All pairs of faces -> how often every score occurs, counted by the nodes of a Ray cluster.

Both sides are put into Ray's store once, in blocks; the originals can then be freed. A task counts the pairs of two
blocks. Ray brings the blocks to the task's node, where they are read in place, without a copy. Other tasks add up the
counts of several tasks, and only those sums are sent here: about the square root of the number of tasks. Only a
limited number of tasks is submitted at a time, so that neither tasks nor results pile up.

A task depends only on its blocks, so Ray can run it again on another node if a worker or a node dies. Only the
running tasks of a dead node, and sums that were not sent yet, are repeated. Counts are integers, and their sums do
not depend on the order: they equal those of :func:`facepart.matching.counting.count_scores`.
"""

import logging
import math
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facepart import __version__
from facepart.cluster.blocks import (
    AHEAD,
    BlockProbes,
    Found,
    add_found,
    block_pairs,
    count_block,
    results_at_once,
    sizes_of_blocks,
    tiles_a_block,
)
from facepart.cluster.capacity import nodes_there, size_of_tasks, some_room_for
from facepart.cluster.nodes import Nodes, wait_for_room, why
from facepart.files.progress import Progress
from facepart.matching.cosine import TILE
from facepart.matching.counting import arranged, subject_order
from facepart.matching.faces import Faces
from facepart.matching.rank_counter import RankCounter
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.matching.table import VALUES, scores_of_table
from facepart.scores import GroupScores

if TYPE_CHECKING:
    from ray import ObjectRef

    # Blocks of a side in the store, and how many faces each holds.
    Blocks = list[tuple[ObjectRef[Faces], int]]

_log = logging.getLogger(__name__)

# Seconds after which nodes that joined, or left, are looked for even if nothing is ready.
_LOOK = 2.0
# How often a task is tried again after its worker or its node died.
_RETRIES = 10


@dataclass(frozen=True)
class RayPairCounter:
    """Counts on the cluster that this process is connected to.

    Attributes:
        block_tiles: tiles on either side of a task's blocks; None for what suits the cluster. It does not change the
            counts.
    """

    block_tiles: int | None = None

    def load(self, probe: Faces, gallery: Faces | None) -> "RayPairs":
        """Put the two sides into the cluster's store.

        Raises:
            FacepartError: the cluster has no processors.
        """
        nodes = nodes_there()
        size = size_of_tasks(nodes)
        room = some_room_for(nodes, size)
        wait_for_room(size.processors)
        tiles = [math.ceil(len(side.subjects) / TILE) for side in (probe, gallery) if side is not None]
        step = self.block_tiles or tiles_a_block(tiles[0], tiles[1] if gallery else None, room)
        columns = None if gallery is None else _put(gallery, step)
        return RayPairs(_put(probe, step), columns, size.processors)


@dataclass(frozen=True)
class RayPairs:
    """Two sides in the cluster's store.

    Attributes:
        rows: the faces that are looked for.
        columns: those they are compared with; None compares `rows` with each other.
        threads: processors of a task.
    """

    rows: "Blocks"
    columns: "Blocks | None"
    threads: int

    def count(self, *, tails: SubjectTailCounts, ranks: RankCounter | None, progress: Progress) -> GroupScores:
        """Count the scores of all pairs; see :class:`facepart.matching.pair_counter.LoadedPairs`.

        Raises:
            FacepartError: the nodes of the cluster do not have this program, or a task died again and again.
        """
        import ray

        nodes = Nodes()
        sizes = [size for _, size in self.rows]
        pairs = block_pairs(sizes, None if self.columns is None else [size for _, size in self.columns])
        others = self.columns or self.rows
        probes = None if ranks is None else _put_probes(ranks, sizes)
        count: Any = ray.remote(num_cpus=self.threads, max_retries=_RETRIES)(count_block)
        add: Any = ray.remote(num_cpus=1, max_retries=_RETRIES)(add_found)
        at_once = results_at_once(len(pairs))

        table = np.zeros(3 * VALUES, np.int64)
        arithmetic: set[str] = set()
        waiting = deque(pairs)
        counting: dict[ObjectRef[Found], int] = {}
        counted: list[ObjectRef[Found]] = []
        adding: set[ObjectRef[Found]] = set()
        done, total = 0, sum(size for *_, size in pairs)
        looked, workers = -math.inf, 1
        try:
            while waiting or counting or counted or adding:
                if time.monotonic() - looked > _LOOK:
                    looked, workers = time.monotonic(), max(nodes.look() // self.threads, 1)
                while waiting and len(counting) < AHEAD * workers:
                    i, j, size = waiting.popleft()
                    blocks = self.rows[i][0], None if j is None else others[j][0]
                    ranked: list[Any] = []
                    if probes is not None:
                        ranked = [probes[i], None if j is None or self.columns else probes[j]]
                    counting[count.remote(*blocks, tails.first_bin, self.threads, __version__, *ranked)] = size
                while len(counted) >= at_once or (counted and not counting):
                    adding.add(add.remote(*counted[:at_once]))
                    del counted[:at_once]
                # What is ready stays where it is until it is added up.
                handed = [*adding, *counting]
                ray.wait(handed, timeout=_LOOK, fetch_local=False)
                for ready in ray.wait(handed, num_returns=len(handed), timeout=0, fetch_local=False)[0]:
                    if ready in adding:
                        adding.remove(ready)
                        found: Found = ray.get(ready)
                        table[found.scores.places] += found.scores.counts
                        tails.take(found.tails.places, found.tails.counts)
                        if ranks is not None and found.ranks is not None:
                            ranks.take(found.ranks)
                        arithmetic |= found.arithmetic
                    else:
                        done += counting.pop(ready)
                        counted.append(ready)
                        progress(done, total)
            nodes.look()  # also report a node lost since the last look
        except ray.exceptions.RayError as error:
            raise why(error) from error
        if len(arithmetic) > 1:
            _log.warning(
                "the nodes of the cluster use %d different arithmetics: an impostor score may differ by 1e-6 from "
                "one run to the next; nodes with the same kind of processor give equal scores",
                len(arithmetic),
            )
        return scores_of_table(table)


def _put(faces: Faces, tiles: int) -> "Blocks":
    """Put faces into Ray's store, in blocks of so many tiles."""
    import ray

    order = subject_order(faces)
    sizes = sizes_of_blocks(len(order), tiles)
    orders = np.split(order, np.cumsum(sizes)[:-1])
    return [(ray.put(arranged(faces, some, TILE)), size) for some, size in zip(orders, sizes, strict=True)]


def _put_probes(ranks: RankCounter, sizes: list[int]) -> "list[ObjectRef[BlockProbes]]":
    """Put into Ray's store what tasks need to know about each block of probes; `sizes` are those of the blocks."""
    import ray

    firsts = np.cumsum([0, *sizes[:-1]]).tolist()
    return [
        ray.put(BlockProbes(first, ranks.best(first, first + size)))
        for first, size in zip(firsts, sizes, strict=True)
    ]
