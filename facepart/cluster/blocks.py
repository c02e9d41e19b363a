"""What a task counts: the pairs of two blocks of faces.

A block is some whole tiles of a side whose faces stand in the order of their subjects. The tiles are those of a run
on one machine, so that the scores are the same bit for bit. A task needs memory for its two blocks, for a table of
scores, and for the tail scores of the subjects in the blocks: as much in a comparison of a million faces as in one of
a hundred thousand.
"""

import hashlib
import math
import warnings
from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facepart import __version__
from facepart.cluster.sparse import SparseCounts, added, sparse
from facepart.errors import FacepartError
from facepart.matching.cosine import TILE
from facepart.matching.counting import Side, count_strips
from facepart.matching.faces import Faces
from facepart.matching.rank_counter import RankCounter, RankCounts, RankedSides, added_ranks
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.matching.threads import one_thread_each
from facepart.scores.subject_sums import bins_from

# Enough tasks for each worker that none waits long for the last ones, and few enough results to add up.
_TASKS_EACH = 4
# Tiles on either side of a block: at least so many, for a task to take a tenth of a second and more, and at most so
# many, which are 32,768 faces, 64 MB of 512 values each.
_FEWEST, _MOST = 8, 64
# Tasks for each worker that are handed out at a time: one to work on, one whose blocks are being fetched.
AHEAD = 2
# Results that one task adds up, at least.
_FEWEST_ADDED = 4


class Found(NamedTuple):
    """The counts of some pairs.

    Attributes:
        scores: how often each score occurs, by its place in a table (:mod:`facepart.matching.table`).
        tails: the high impostor scores by subject, by their place in the bins of :class:`SubjectTailCounts`.
        arithmetic: of :func:`arithmetic`, of all machines that took part.
        ranks: of the probes in the order of :func:`~facepart.matching.counting.subject_order`; None if not counted.
    """

    scores: SparseCounts
    tails: SparseCounts
    arithmetic: frozenset[str]
    ranks: RankCounts | None = None


class BlockProbes(NamedTuple):
    """What a task has to know of a block of probes to count their ranks.

    Attributes:
        first: the block's first probe, in the order of :func:`~facepart.matching.counting.subject_order`.
        best: float32, (n,), their best authentic scores, as :class:`RankCounter` takes them.
    """

    first: int
    best: NDArray[np.float32]


def tiles_a_block(rows: int, columns: int | None, workers: int) -> int:
    """Choose how many tiles a side of a block has.

    Args:
        rows: tiles of the probes.
        columns: tiles of the gallery; None if the probes are compared with each other.
        workers: how many tasks are worked on at a time.

    Example:
        >>> [tiles_a_block(1954, None, workers) for workers in (2, 64, 1024)]
        [64, 64, 21]
    """
    products = rows * (rows + 1) // 2 if columns is None else rows * columns
    return min(max(math.isqrt(products // (_TASKS_EACH * workers)), _FEWEST), _MOST)


def sizes_of_blocks(faces: int, tiles: int) -> list[int]:
    """Return how many faces each block of a side has, of `tiles` tiles on a side each but the last."""
    size = tiles * TILE
    return [min(size, faces - first) for first in range(0, faces, size)]


def results_at_once(tasks: int) -> int:
    """Choose how many results one task adds up: about the square root of all, so that as many sums are left."""
    return max(_FEWEST_ADDED, math.isqrt(tasks))


def count_block(
    rows: Faces,
    columns: Faces | None,
    lowest: int,
    threads: int,
    version: str,
    row_probes: BlockProbes | None = None,
    column_probes: BlockProbes | None = None,
) -> Found:
    """Count the pairs of two blocks.

    Args:
        rows: faces :func:`~facepart.matching.counting.arranged` in the order of their subjects; never written to.
        columns: likewise; None for the pairs within `rows`.
        lowest: where the bins of high scores begin, in millionths.
        threads: how many tiles are worked on at once.
        version: of the program that asks.
        row_probes: of `rows`, if ranks are counted.
        column_probes: of `columns`, if ranks are counted and these faces are probes, too.

    Raises:
        FacepartError: this is another version of the program.
    """
    if version != __version__:
        raise FacepartError(
            f"the program is version {version}, but a node of the cluster has {__version__}; install the same "
            "version on every node"
        )
    subjects = rows.subjects if columns is None else np.concatenate([rows.subjects, columns.subjects])
    present = np.unique(subjects)
    ours = _side(rows, present)
    theirs = None if columns is None else _side(columns, present)
    tails = SubjectTailCounts(len(present), lowest)
    row_ranks = None if row_probes is None else RankCounter(row_probes.best, first=row_probes.first)
    column_ranks = None if column_probes is None else RankCounter(column_probes.best, first=column_probes.first)
    ranks = None
    if row_ranks is not None:
        ranks = RankedSides(row_ranks, row_ranks if columns is None else column_ranks)
    scores = count_strips(ours, theirs, workers=threads, tails=tails, ranks=ranks)
    places, counts = sparse(tails.bins().ravel())
    width = bins_from(lowest)
    # From the places among these subjects to those among all.
    places = present[places // width] * width + places % width
    return Found(
        sparse(scores),
        SparseCounts(places, counts),
        frozenset([arithmetic(rows.embeddings.shape[1])]),
        added_ranks(*(counter.counts() for counter in (row_ranks, column_ranks) if counter is not None)),
    )


def add_found(*parts: Found) -> Found:
    """Add up what was counted among several pairs of blocks."""
    return Found(
        added([part.scores for part in parts]),
        added([part.tails for part in parts]),
        frozenset[str]().union(*(part.arithmetic for part in parts)),
        added_ranks(*(part.ranks for part in parts)),
    )


@cache
def arithmetic(dimension: int) -> str:
    """Return a hash of the order in which this machine adds up a product; equal hashes mean equal scores.

    Args:
        dimension: how many values an embedding has.
    """
    rows = torch.from_numpy(np.random.default_rng(0).random((TILE, dimension), np.float32)).sub_(0.5)
    with one_thread_each(1) as pool:
        product = pool.submit(torch.mm, rows, rows.T).result()
    return hashlib.sha256(product.numpy().tobytes()).hexdigest()[:16]


def _side(faces: Faces, present: NDArray[np.int64]) -> Side:
    """Return a block's side, its subjects numbered by their places in `present`."""
    with warnings.catch_warnings():
        # What lies in Ray's store cannot be written to, of which PyTorch warns; the embeddings are only read.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return Side(faces._replace(subjects=np.searchsorted(present, faces.subjects)), TILE)


def block_pairs(rows: Sequence[int], columns: Sequence[int] | None) -> list[tuple[int, int | None, int]]:
    """List the pairs of blocks to be compared, those with the most pairs of faces first.

    Args:
        rows: how many faces each block of the probes has.
        columns: likewise of the gallery; None if the probes are compared with each other.

    Returns:
        ``(block of the probes, block of the gallery, pairs of faces)``; None for a block with itself.
    """
    found: list[tuple[int, int | None, int]]
    if columns is None:
        found = [(i, j, rows[i] * rows[j]) for i in range(len(rows)) for j in range(i + 1, len(rows))]
        found += [(i, None, count * (count - 1) // 2) for i, count in enumerate(rows)]
    else:
        found = [(i, j, ours * theirs) for i, ours in enumerate(rows) for j, theirs in enumerate(columns)]
    return sorted(found, key=itemgetter(2), reverse=True)
