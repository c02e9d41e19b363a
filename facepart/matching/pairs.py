"""All pairs of faces -> the rows of the score files, block by block, in their order and in bounded memory.

Rows come in row-major order of (probe, gallery). :mod:`facepart.matching.faces` defines which pairs there are.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.matching.cosine import TILE, one_thread_each, padded, tile_steps
from facepart.matching.faces import Faces
from facepart.matching.rank_counter import RankCounter, RankedSides, ranked_sides
from facepart.scores import STEPS

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
    ranks: RankCounter | None = None,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Compare the faces and yield the rows of the score files, block by block.

    Args:
        probe: the faces that are looked for.
        gallery: those they are compared with; None compares the probes with each other.
        workers: how many strips are worked on at once, each by one thread; one more is in memory.
        tile: faces on either side of a product.
        block_pairs: about how many pairs a block is made from; the rows are the same whatever it is.
        ranks: where the ranks of the probes are counted.

    Yields:
        ``(authentic, impostor)``, each float64, (k, 3): probe row, gallery row, cosine rounded to 6 decimals. All
        blocks of a kind, one after another, are the whole in row-major order.
    """
    other = probe if gallery is None else gallery
    height = max(1, block_pairs // max(1, len(other.subjects)))
    sides = ranked_sides(ranks, gallery)
    for row, column, strip in score_strips(probe, gallery, workers=workers, tile=tile, ranks=sides):
        subjects, photos = other.subjects[column:], other.photos[column:]
        sessions = None if other.sessions is None else other.sessions[column:]
        for first in range(0, len(strip), height):
            steps = strip[first : first + height]
            ours = np.arange(row + first, row + first + len(steps))
            rows = np.empty((*steps.shape, 3))
            rows[..., 0] = ours[:, None]
            rows[..., 1] = np.arange(column, len(other.subjects))
            np.divide(steps, STEPS, out=rows[..., 2], dtype=np.float64)
            same_subject = probe.subjects[ours, None] == subjects
            compared = probe.photos[ours, None] != photos
            if probe.sessions is not None and sessions is not None:
                compared &= probe.sessions[ours, None] != sessions
            if gallery is None:
                compared &= np.arange(column, len(other.subjects)) > ours[:, None]
            yield rows[compared & same_subject], rows[compared & ~same_subject]


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
        ahead: deque[Future[ScoreStrip]] = deque()
        for row in range(0, len(ours), tile):
            ahead.append(pool.submit(make_strip, row))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
