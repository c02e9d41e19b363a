"""All pairs of faces -> the rows of the score files, block by block, in their order and in bounded memory.

Rows come in row-major order of (probe, gallery). :mod:`facepart.matching.faces` defines which pairs there are.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.matching.cosine import TILE, padded, tile_steps
from facepart.matching.faces import Faces, PairRows
from facepart.matching.rank_counter import RankCounter, RankedSides, ranked_sides
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.matching.threads import one_thread_each
from facepart.scores import STEPS

T = TypeVar("T")

# How many pairs are worked on at a time, beside the strips of cosines: small enough for a block's rows, 24 bytes a
# pair, to stay in a cache.
BLOCK_PAIRS = 1 << 16


class ScoreStrip(NamedTuple):
    """The scores of some probes against all of the gallery.

    ``steps[i, j]``, float32, is the score of probe ``row + i`` and gallery face ``column + j`` in whole millionths.
    """

    row: int
    column: int
    steps: NDArray[np.float32]


def pair_blocks(
    probe: Faces,
    gallery: Faces | None = None,
    *,
    workers: int,
    tile: int = TILE,
    block_pairs: int = BLOCK_PAIRS,
    tails: SubjectTailCounts | None = None,
    ranks: RankCounter | None = None,
) -> Iterator[PairRows]:
    """Compare the faces and yield the rows of the score files, block by block.

    Args:
        probe: the faces that are looked for.
        gallery: those they are compared with; None compares the probes with each other.
        workers: how many strips are worked on at once, each by one thread, and how many blocks; one more of each is
            in memory.
        tile: faces on either side of a product.
        block_pairs: about how many pairs a block is made from; the rows are the same whatever it is.
        tails: counts the high impostor scores by subject, too.
        ranks: where the ranks of the probes are counted.

    Yields:
        Blocks. All of them, one after another, are the whole in row-major order.
    """
    other = probe if gallery is None else gallery
    height = max(1, block_pairs // max(1, len(other.subjects)))
    strips = score_strips(probe, gallery, workers=workers, tile=tile, ranks=ranked_sides(ranks, gallery))

    def make_block(row: int, column: int, steps: NDArray[np.float32]) -> PairRows:
        ours, theirs = np.arange(row, row + len(steps)), np.arange(column, len(other.subjects))
        same_subject = probe.subjects[ours, None] == other.subjects[theirs]
        compared = probe.photos[ours, None] != other.photos[theirs]
        if probe.sessions is not None and other.sessions is not None:
            compared &= probe.sessions[ours, None] != other.sessions[theirs]
        if gallery is None:
            compared &= theirs > ours[:, None]
        impostor = compared & ~same_subject
        if tails is not None:
            high = np.flatnonzero((steps >= tails.first_bin) & impostor)
            i, j = np.divmod(high, len(theirs))
            found = (probe.subjects[ours[i]], other.subjects[theirs[j]], steps[i, j])
            tails.add(*map(torch.from_numpy, found))
        return PairRows(_rows(compared & same_subject, ours, theirs, steps), _rows(impostor, ours, theirs, steps))

    with one_thread_each(workers) as pool:
        yield from in_order(
            (
                pool.submit(make_block, strip.row + first, strip.column, strip.steps[first : first + height])
                for strip in strips
                for first in range(0, len(strip.steps), height)
            ),
            workers,
        )


def score_strips(
    probe: Faces,
    gallery: Faces | None = None,
    *,
    workers: int,
    tile: int = TILE,
    ranks: RankedSides | None = None,
) -> Iterator[ScoreStrip]:
    """Yield the scores of all pairs, some probes against all of the gallery at a time, in order.

    Where there is no gallery, a strip begins at its own first face: the columns before it were seen already. The
    arguments are those of :func:`pair_blocks`.
    """
    rows = padded(probe.embeddings, tile)
    columns = rows if gallery is None else padded(gallery.embeddings, tile)
    ours = torch.from_numpy(probe.subjects)
    theirs = ours if gallery is None else torch.from_numpy(gallery.subjects)

    def make_strip(row: int) -> ScoreStrip:
        begin = row if gallery is None else 0
        steps = torch.empty(tile, len(columns) - begin)
        for column in range(begin, len(columns), tile):
            here, there = slice(row, row + tile), slice(column, column + tile)
            # A view with gaps between its rows; the product goes there without a copy.
            part = steps[:, column - begin : column - begin + tile]
            same_subject = ours[here, None] == theirs[there]
            tile_steps(rows[here], columns[there], same_subject, part)
            if ranks is not None:
                if gallery is None and row == column:
                    same_subject |= torch.ones_like(same_subject).tril()  # seen from the other side
                real = part[: len(ours) - row, : len(theirs) - column]
                ranks.add(row, column, real, same_subject if same_subject.any() else None)
        return ScoreStrip(row, begin, steps.numpy()[: len(ours) - row, : len(theirs) - begin])

    with one_thread_each(workers) as pool:
        yield from in_order((pool.submit(make_strip, row) for row in range(0, len(ours), tile)), workers)


def in_order(submitted: Iterable[Future[T]], ahead: int) -> Iterator[T]:
    """Yield the results of work in the order in which it is submitted, some of it ahead.

    Args:
        submitted: submits a piece of work whenever its next item is taken.
        ahead: how many pieces are under way, or done, while the first of them is waited for.
    """
    waiting: deque[Future[T]] = deque()
    for future in submitted:
        waiting.append(future)
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _rows(
    wanted: NDArray[np.bool_], ours: NDArray[np.int64], theirs: NDArray[np.int64], steps: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the rows of the score files for the wanted pairs of some probes and gallery faces, each (r, c)."""
    counts = np.count_nonzero(wanted, axis=1)
    # Column by column: to pick rows of three values from an array of all pairs takes 5 times as long.
    rows = np.empty((counts.sum(), 3))
    rows[:, 0] = np.repeat(ours, counts)
    rows[:, 1] = np.broadcast_to(theirs, wanted.shape)[wanted]
    np.divide(steps[wanted], STEPS, out=rows[:, 2], dtype=np.float64)
    return rows
