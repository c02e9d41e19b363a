"""All pairs of faces -> the rows of the score files, block by block, in their order and in bounded memory.

Rows come in row-major order of (probe, gallery). Which pairs there are is told in :mod:`facepart.matching.faces`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from facepart.matching.cosine import TILE, cosine_strips
from facepart.matching.faces import Faces
from facepart.scores import STEPS

# How many pairs are worked on at a time, beside the strips of cosines: small enough for a block's rows, 24 bytes a
# pair, to stay in a cache.
BLOCK_PAIRS = 1 << 16


def pair_blocks(
    probe: Faces, gallery: Faces | None = None, *, workers: int, tile: int = TILE, block_pairs: int = BLOCK_PAIRS
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Compare the faces and yield the rows of the score files, block by block.

    Args:
        probe: the faces that are looked for.
        gallery: those they are compared with; None compares the probes with each other.
        workers: see :func:`~facepart.matching.cosine.cosine_strips`; likewise `tile`.
        tile: see there.
        block_pairs: about how many pairs a block is made from; the rows are the same whatever it is.

    Yields:
        ``(authentic, impostor)``, each float64, (k, 3): probe row, gallery row, cosine rounded to 6 decimals. All
        blocks of a kind, one after another, are the whole in row-major order.
    """
    other = probe if gallery is None else gallery
    embeddings = None if gallery is None else gallery.embeddings
    height = max(1, block_pairs // max(1, len(other.subjects)))
    for row, column, strip in cosine_strips(probe.embeddings, embeddings, workers=workers, tile=tile):
        subjects, photos = other.subjects[column:], other.photos[column:]
        for first in range(0, len(strip), height):
            steps = strip[first : first + height]
            ours = np.arange(row + first, row + first + len(steps))
            rows = np.empty((*steps.shape, 3))
            rows[..., 0] = ours[:, None]
            rows[..., 1] = np.arange(column, len(other.subjects))
            np.divide(steps, STEPS, out=rows[..., 2], dtype=np.float64)
            same_subject = probe.subjects[ours, None] == subjects
            compared = probe.photos[ours, None] != photos
            if gallery is None:
                compared &= np.arange(column, len(other.subjects)) > ours[:, None]
            yield rows[compared & same_subject], rows[compared & ~same_subject]
