"""What it takes to compare many faces on a cluster: tasks, bytes and seconds, worked out without doing it.

Tasks and blocks are those that :mod:`facepart.cluster.matching` hands out, found by the same functions. Seconds
follow from rates that were measured (:mod:`facepart.cluster.rates`), bytes from the sizes of arrays.

How large the tables of results are depends on how many of their places are not 0. With n scores of which a share s
falls on a place, that one is not 0 with probability 1 - exp(-n s) (Poisson); impostor scores are taken to be normal,
with mean 0.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from facepart.cluster.blocks import AHEAD, block_pairs, results_at_once, sizes_of_blocks, tiles_a_block
from facepart.cluster.machines import Node, room_for, size_of_tasks
from facepart.matching.cosine import TILE
from facepart.scores import STEPS
from facepart.scores.subject_sums import BIN, bins_from

# Bytes a second that a node takes in, and gives: 10 Gbit/s, a common network of clusters.
NETWORK = 1.25e9
# Standard deviation of impostor scores: 0.10 to 0.12 among the aligned photos of London and of LFW's groups CM and
# CF, with the default recogniser. (Of random directions of 512 values it is 0.044.)
DEVIATION = 0.11
# Impostor scores that are counted by person, too: the highest, of facepart.matching.subject_sums.choose_lowest where
# authentic scores lie far from impostor ones; and how many standard deviations above the mean these begin.
_HIGH, _HIGH_FROM = 0.02, 2.054
# Seconds in which the command hands out a task and takes note that one is done: these, and so many more for each that
# is on its way; measured (python -m benchmarks.cluster_scaling).
_HANDED, _WAITED = 1.5e-3, 3e-7
# Bytes of a place that is not 0 and its count: of the scores, and of the high scores by person.
_SCORE_BYTES, _HIGH_BYTES = 16, 12
# Bytes of the program itself: of the command, with the labels; of a worker, its own beside what all of a node share:
# 0.15 GB of PyTorch, 0.06 of Ray, 0.06 of a table (anonymous memory, by the system's count); of each of its threads.
_COMMAND_BYTES, _WORKER_BYTES, _THREAD_BYTES = 0.6e9, 0.27e9, 33e6


class Rates(NamedTuple):
    """How fast things go, in seconds.

    Attributes:
        pair: of a pair of faces, on one processor.
        task: of a task besides its pairs.
        added: of a byte of results, by a task that adds them up.
        taken: of a byte of sums, by the command.
        put: of a byte of features that go into Ray's store.
        face: of a face, for what the command does alone: sums by person that need no pairs, and the files.
        network: bytes a second that a node takes in, and gives.
        handed: of a task that is handed out and found done, by the command.
        waited: more of it, for each task that is on its way at the time.
    """

    pair: float
    task: float
    added: float
    taken: float
    put: float
    face: float
    network: float = NETWORK
    handed: float = _HANDED
    waited: float = _WAITED


class Tasks(NamedTuple):
    """What a comparison is cut into.

    Attributes:
        blocks: faces in each block.
        pairs: ``(block, block, pairs)`` of each task, as of :func:`facepart.cluster.blocks.block_pairs`.
        threads: processors of a task.
        at_once: results that one task adds up.
        people: of the blocks of a task, at most.
        result: bytes of a task's results, at most.
        total: bytes of a sum of `at_once` results, at most.
    """

    blocks: list[int]
    pairs: list[tuple[int, int | None, int]]
    threads: int
    at_once: int
    people: float
    result: float
    total: float

    @property
    def sums(self) -> int:
        """How many tasks add up results, and how many sums the command takes in."""
        return -(-len(self.pairs) // self.at_once)


class Times(NamedTuple):
    """The seconds of a comparison; what goes on side by side has its own.

    Attributes:
        before: features into the store.
        counting: of all workers together, were none ever idle.
        idle: how much longer the last tasks may take.
        network: blocks out of the command's node.
        handing: the command handing out tasks, and taking in sums.
        last: adding up the last results.
        after: what the command does alone.
    """

    before: float
    counting: float
    idle: float
    network: float
    handing: float
    last: float
    after: float

    @property
    def total(self) -> float:
        """From begin to end."""
        beside = max(self.counting + self.idle, self.network, self.handing)
        return self.before + beside + self.last + self.after

    @property
    def limit(self) -> str:
        """What takes longest, in words."""
        found = {
            "the processors": self.counting,
            "the last tasks, which leave processors idle": self.idle,
            "the network of the command's node": self.network,
            "the command, which hands out tasks and takes in sums": self.handing,
            "what the command does alone": self.before + self.last + self.after,
        }
        return max(found, key=lambda name: found[name])


class Memory(NamedTuple):
    """Bytes of memory.

    Attributes:
        command: of the command.
        command_store: of Ray's store on the node with the command.
        workers: of all workers of the node with most processors.
        store: of Ray's store on any other node.
    """

    command: float
    command_store: float
    workers: float
    store: float


def cut(probes: int, gallery: int | None, people: int, nodes: Sequence[Node], deviation: float = DEVIATION) -> Tasks:
    """Cut a comparison into tasks, as a run does.

    Args:
        probes: faces that are looked for.
        gallery: faces they are compared with; None if with each other.
        people: how many there are on either side.
        nodes: of the cluster.
        deviation: standard deviation of impostor scores.
    """
    sides = [side for side in (probes, gallery) if side is not None]
    tiles = [-(-side // TILE) for side in sides]
    size = size_of_tasks(nodes)
    step = tiles_a_block(tiles[0], tiles[1] if gallery is not None else None, room_for(nodes, size))
    blocks = [sizes_of_blocks(side, step) for side in sides]
    pairs = block_pairs(blocks[0], blocks[1] if gallery is not None else None)
    at_once, most = results_at_once(len(pairs)), pairs[0][2]
    both = _people_of_two_blocks(people, blocks[0][0] / probes, blocks[-1][0] / sides[-1])
    return Tasks(
        blocks=[size for side in blocks for size in side],
        pairs=pairs,
        threads=size.processors,
        at_once=at_once,
        people=both,
        result=result_bytes(most, both, deviation),
        total=result_bytes(most * at_once, min(both * at_once, people), deviation),
    )


def result_bytes(pairs: float, people: float, deviation: float = DEVIATION) -> float:
    """Estimate the bytes of what was found among pairs of so many people's faces: see the module."""
    edges = np.arange(-STEPS, STEPS + BIN, BIN) / STEPS / deviation
    below = np.array([0.5 * math.erfc(-edge / math.sqrt(2)) for edge in edges])
    shares = np.diff(below)
    scores = BIN * float(-np.expm1(-pairs * shares / BIN).sum())
    high = people * float(-np.expm1(-2 * pairs / people * shares[edges[:-1] >= _HIGH_FROM]).sum())
    return _SCORE_BYTES * scores + _HIGH_BYTES * high


def high_bytes(people: float, deviation: float = DEVIATION) -> float:
    """Give the bytes of a table of high scores, with a bin in 32 bits for each person and score."""
    return people * bins_from(round(_HIGH_FROM * deviation * STEPS)) * 4.0


def seconds_to_compare(tasks: Tasks, dimension: int, nodes: Sequence[Node], rates: Rates) -> Times:
    """Estimate how long a comparison takes.

    Every node that counts is taken to fetch each block that it needs once, and all of them from the command's node;
    tasks go to nodes at random.
    """
    each = [node.processors // tasks.threads for node in nodes]
    workers = sum(each)
    count, faces = len(tasks.pairs), sum(tasks.blocks)
    work = [rates.task + pairs * rates.pair / tasks.threads for *_, pairs in tasks.pairs]
    counting = sum(work) / workers
    # Tasks that are handed out whenever a processor is free end by the first (Graham 1966), and by the second.
    end = min(counting + work[0] * (1 - 1 / workers), -(-count // workers) * work[0])
    block = 4.0 * dimension * faces / len(tasks.blocks)
    fetched = sum(_distinct(len(tasks.blocks), 2 * count * some / workers) for some in sorted(each)[:-1])
    # So many at a time, fewer while the last ones end.
    ahead = min(count, AHEAD * workers)
    waiting = ahead * (1 - ahead / (2 * count))
    take_in = tasks.total * ((1 / rates.network if len(nodes) > 1 else 0) + rates.taken)
    adding = tasks.at_once * tasks.result * (rates.added + (1 / rates.network if len(nodes) > 1 else 0))
    return Times(
        before=4.0 * dimension * faces * rates.put,
        counting=counting + tasks.sums * adding / workers,
        idle=end - counting,
        network=fetched * block / rates.network,
        handing=count * (rates.handed + rates.waited * waiting) + tasks.sums * take_in,
        last=rates.task + adding + take_in,
        after=faces * rates.face,
    )


def memory_to_compare(tasks: Tasks, people: int, dimension: int, nodes: Sequence[Node]) -> Memory:
    """Estimate the memory of a comparison: see "Memory" in docs/cluster.md."""
    each = [node.processors // tasks.threads for node in nodes]
    most = max(each)
    faces, count = sum(tasks.blocks), len(tasks.pairs)
    features = 4.0 * dimension * faces
    table = high_bytes(people)
    mine = _distinct(len(tasks.blocks), 2 * count * most / sum(each)) / len(tasks.blocks) * features
    # Results that wait until there are enough to be added up, those that are being added up, and their sum.
    results = 2 * tasks.at_once * tasks.result + tasks.total
    return Memory(
        # Bins of authentic scores by person, with first the features of length 1, and then bins of what tasks find.
        command=_COMMAND_BYTES + table + max(features, table),
        command_store=features + results,
        # One of them may be adding up results.
        workers=most * (_WORKER_BYTES + tasks.threads * _THREAD_BYTES + high_bytes(tasks.people)) + 2 * tasks.total,
        store=mine + results,
    )


def _people_of_two_blocks(people: int, *shares: float) -> float:
    """Give how many people two blocks show at most that hold such shares of their sides."""
    return people * min(sum(shares), 1.0)


def _distinct(kinds: int, draws: float) -> float:
    """Expect how many of some kinds are among draws at random."""
    return kinds * -math.expm1(draws * math.log1p(-1 / kinds)) if kinds > 1 else 1.0
