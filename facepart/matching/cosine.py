"""Two matrices of embeddings -> the cosines of all pairs, tile by tile.

What is guaranteed. Every product is of two padded tiles of one shape, taken by one thread. So a score depends on its
two embeddings, on the machine's BLAS, and at most on where in their tiles the two stand: never on the number of
threads, on how the pairs are then cut into blocks, nor on what else the lists hold. With PyTorch's BLAS on x86-64
(MKL), it does not depend on the place either, nor on the tiles' size from some 40 rows on, nor on which of the two
faces is the probe: every element of a product is the same sum in the same order (tests/test_matching_cosine.py holds
it to that). It has to be so, because rounding does not hide the order in which a BLAS adds: float32 cosines of one
pair that differ in the last bit fall on different sides of a rounding step for about one pair in a hundred. NumPy's
BLAS (OpenBLAS) adds in an order that depends on the place even inside one product, and is not used for that reason.
On another kind of machine a score may move by one step of 1e-6, never by more.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.scores import STEPS

# Faces on either side of a tile. On the CPU two embeddings' tiles of 512 x 512 and their product take 1 MB each,
# about what a core's own cache holds; half or twice as much is not slower by more than 5 %.
TILE = 512


def unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide every row by its Euclidean length, in float32 as scikit-learn's ``cosine_similarity`` does.

    Args:
        matrix: float32, (n, d), finite, no row all zero.

    Returns:
        float32, (n, d), rows of length 1.

    Example:
        >>> unit_rows(np.array([[3, 4]], dtype=np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """
    lengths: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    return np.divide(matrix, lengths[:, None], dtype=np.float32)


def padded(matrix: NDArray[np.float32], multiple: int) -> torch.Tensor:
    """Give a matrix with rows of zeros at its end up to a multiple; where it is one already, the memory is shared."""
    missing = -len(matrix) % multiple
    if not missing and len(matrix):
        return torch.from_numpy(np.ascontiguousarray(matrix))
    copy = np.zeros((max(len(matrix) + missing, multiple), matrix.shape[1]), np.float32)
    copy[: len(matrix)] = matrix
    return torch.from_numpy(copy)


def rounded_steps(cosines: torch.Tensor) -> torch.Tensor:
    """Round cosines to whole millionths, in place; what float32 puts a hair outside -1..1 becomes -1 or 1.

    Args:
        cosines: float32, of any shape.

    Returns:
        `cosines`, now -1,000,000 to 1,000,000.
    """
    return cosines.mul_(STEPS).round_().clamp_(-STEPS, STEPS)


def one_thread_each(workers: int) -> ThreadPoolExecutor:
    """Give a pool in each thread of which PyTorch computes with that thread alone."""
    # The setting is the calling thread's own: that of the program around us stays as it is.
    return ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))


def cosine_strips(
    probe: NDArray[np.float32], gallery: NDArray[np.float32] | None = None, *, workers: int, tile: int = TILE
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield the rounded cosines of all pairs, some probes against all of the gallery at a time, in order.

    Args:
        probe: float32, (n, d), rows of length 1.
        gallery: float32, (m, d), rows of length 1; None compares the probes with themselves, each pair once.
        workers: how many strips are worked on at once; one more is in memory.
        tile: faces on either side of a product.

    Yields:
        ``(row, column, steps)``: ``steps[i, j]``, float32, is the cosine of probe ``row + i`` and gallery
        ``column + j`` in whole millionths. `column` is 0 where there is a gallery; where there is none, the columns
        before it hold only pairs that were seen already.
    """
    rows = padded(probe, tile)
    columns = rows if gallery is None else padded(gallery, tile)
    count = len(probe if gallery is None else gallery)

    def strip(row: int) -> tuple[int, int, NDArray[np.float32]]:
        first = row if gallery is None else 0
        found = torch.empty(tile, len(columns) - first)
        for column in range(first, len(columns), tile):
            # A view with gaps between its rows; the product goes there without a copy.
            part = found[:, column - first : column - first + tile]
            torch.mm(rows[row : row + tile], columns[column : column + tile].T, out=part)
        return row, first, rounded_steps(found).numpy()[: len(probe) - row, : count - first]

    yield from _ahead(strip, range(0, len(probe), tile), workers)


def _ahead(
    work: Callable[[int], tuple[int, int, NDArray[np.float32]]], items: range, workers: int
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield ``work(item)`` in order; the next ones are being worked on meanwhile, as many as there are workers."""
    with one_thread_each(workers) as pool:
        waiting: list[Future[tuple[int, int, NDArray[np.float32]]]] = []
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > workers:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
