"""The scores of listed pairs, each the same as when all pairs are compared.

An impostor score is defined by a product of two padded tiles (:mod:`facepart.matching.cosine`); the dot product of
two embeddings alone, summed in another order, would differ from it by one step for one pair in a hundred. So pairs
are gathered into tiles: those of 512 first faces, ordered by their second face, fill tile after tile. That takes at
most 512 cosines a pair, and about as many tiles as there are faces squared if the pairs are many.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.files.progress import Progress, silent
from facepart.matching.cosine import TILE, padded, tile_steps, unit_rows
from facepart.matching.threads import one_thread_each


def score_pairs(
    probe: NDArray[np.float32],
    gallery: NDArray[np.float32] | None,
    first: NDArray[np.integer],
    second: NDArray[np.integer],
    authentic: NDArray[np.bool_],
    *,
    workers: int,
    tile: int = TILE,
    progress: Progress = silent,
) -> NDArray[np.int32]:
    """Compute the scores of listed pairs.

    Args:
        probe: float32, (p, d), embeddings, not normalised; it may be mapped from a file.
        gallery: float32, (g, d), likewise, of which the second faces are; None if both faces are of `probe`.
        first: (n,), the row of each pair's first face.
        second: (n,), the row of each pair's second face.
        authentic: bool, (n,), which pairs are authentic.
        workers: threads; they do not change the scores.
        tile: faces on either side of a product.
        progress: is called with (pairs compared, pairs in all).

    Returns:
        int32, (n,), the scores in whole millionths.
    """
    if gallery is None:
        # The smaller row first, as when all pairs of a list are compared.
        first, second = np.minimum(first, second), np.maximum(first, second)
        used, (rows, columns) = _ranked(len(probe), first, second)
        left = right = unit_rows(probe[used])
    else:
        used, (rows,) = _ranked(len(probe), first)
        left = unit_rows(probe[used])
        used, (columns,) = _ranked(len(gallery), second)
        right = unit_rows(gallery[used])
    strips = _Strips(left, right, rows, columns, authentic, tile)
    done = 0
    with one_thread_each(workers) as pool:
        for compared in pool.map(strips.compare, range(strips.count)):
            done += compared
            progress(done, len(first))
    return strips.steps


def _ranked(count: int, *sides: NDArray[np.integer]) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Return which of so many faces occur, ascending, and the place among them of each face on each side."""
    occurs = np.zeros(count, np.bool_)
    for side in sides:
        occurs[side] = True
    used = np.flatnonzero(occurs)
    places = np.zeros(count, np.int64)
    places[used] = np.arange(len(used))
    return used, [places[side] for side in sides]


class _Tile(NamedTuple):
    """The pairs of a tile.

    Attributes:
        pairs: int64, (k,), places in the list.
        rows: int64, (k,), their rows in the tile.
        columns: int64, (k,), their columns in it.
        faces: int64, the faces of its columns.
    """

    pairs: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    faces: NDArray[np.int64]


class _Strips:
    """Pairs by strips, each of which has the pairs of some first faces.

    Attributes:
        count: number of strips.
        steps: int32, (n,), the scores in millionths, once all strips are compared.
    """

    def __init__(
        self,
        left: NDArray[np.float32],
        right: NDArray[np.float32],
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        authentic: NDArray[np.bool_],
        tile: int,
    ) -> None:
        """Divide the pairs; `left` and `right` have rows of length 1, the others are those of :func:`score_pairs`."""
        self._left, self._right, self._authentic, self._tile = left, right, authentic, tile
        # Only faces that are the first of a pair make rows.
        self._firsts, (self._rows,) = _ranked(len(left), first)
        self._columns = second
        self.count = -(-len(self._firsts) // tile)
        strips = self._rows // tile
        self._order = np.argsort(strips * len(right) + second, kind="stable")
        self._bounds = np.searchsorted(strips[self._order], np.arange(self.count + 1))
        self.steps = np.empty(len(first), np.int32)

    def compare(self, strip: int) -> int:
        """Compute the scores of a strip; return the number of its pairs. Threads may compare several at once."""
        begin, end = self._bounds[strip : strip + 2]
        faces = padded(self._left, self._tile, self._firsts[strip * self._tile : (strip + 1) * self._tile])
        product = torch.empty(self._tile, self._tile)
        for found in self._tiles(self._order[begin:end]):
            others = padded(self._right, self._tile, found.faces)
            same = self._authentic[found.pairs]
            mask = None
            if same.any():
                mask = torch.zeros(self._tile, self._tile, dtype=torch.bool)
                mask[torch.from_numpy(found.rows[same]), torch.from_numpy(found.columns[same])] = True
            scores = tile_steps(faces, others, mask, product).numpy()
            self.steps[found.pairs] = scores[found.rows, found.columns]
        return int(end - begin)

    def _tiles(self, pairs: NDArray[np.int64]) -> Iterator[_Tile]:
        """Cut pairs of one strip, which are in the order of their second faces, into tiles."""
        faces, numbers = np.unique(self._columns[pairs], return_inverse=True)
        for first in range(0, len(faces), self._tile):
            begin, end = np.searchsorted(numbers, (first, first + self._tile))
            chosen = pairs[begin:end]
            rows = self._rows[chosen] % self._tile
            yield _Tile(chosen, rows, numbers[begin:end] - first, faces[first : first + self._tile])
