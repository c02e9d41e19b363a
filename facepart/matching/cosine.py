"""Two matrices of embeddings -> the cosines of all pairs, strip by strip, in bounded memory.

What is guaranteed. The products are always taken in tiles of :data:`ROWS` x :data:`COLUMNS` that lie on one grid,
padded with zeros at its ends. So a score depends on the two embeddings, on where in their lists they stand, and on
the machine's BLAS and its number of threads; never on how the pairs are then cut into blocks, nor on what else the
lists hold. It has to be so, because rounding does not hide the order in which a BLAS adds: float32 cosines of one
pair that differ in the last bit fall on different sides of a rounding step for about one pair in a hundred. On
another machine, or with a list in another order, a score may therefore move by one step of 1e-6, never by more.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# One product takes 512 probes and 1024 gallery faces: large enough for a BLAS with two threads to run at its full
# speed, small enough that a strip against 100,000 faces takes 200 MB.
ROWS = 512
COLUMNS = 1024

# Scores are kept to 6 decimals.
STEPS = 1_000_000


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


def cosine_strips(
    probe: NDArray[np.float32], gallery: NDArray[np.float32] | None = None
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield the cosines of all pairs, some probes against all of the gallery at a time.

    Args:
        probe: float32, (n, d), rows of length 1.
        gallery: float32, (m, d), rows of length 1; None compares the probes with themselves, each pair once.

    Yields:
        ``(row, column, scores)``: ``scores[i, j]``, float32, is the cosine of probe ``row + i`` and gallery
        ``column + j``. `column` is 0 where there is a gallery; where there is none, the columns before it hold
        only pairs that were seen already. The array is overwritten by the next strip.
    """
    within = gallery is None
    columns = _padded(probe if gallery is None else gallery, COLUMNS)
    count = len(probe if gallery is None else gallery)
    buffer = np.empty((ROWS, len(columns)), np.float32)
    for row in range(0, len(probe), ROWS):
        rows = _padded(probe[row : row + ROWS], ROWS)
        first = row - row % COLUMNS if within else 0
        for column in range(first, len(columns), COLUMNS):
            tile = columns[column : column + COLUMNS]
            np.matmul(rows, tile.T, out=buffer[:, column : column + COLUMNS])
        yield row, first, buffer[: len(probe) - row, first:count]


def rounded(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Round cosines to 6 decimals.

    The step is found in float32, as NumPy rounds float32; what is stored is the float64 nearest to the decimal. What
    float32 puts a hair outside -1..1 becomes -1 or 1.

    Example:
        >>> rounded(np.array([0.12345678, 1.0000001], dtype=np.float32)).tolist()
        [0.123457, 1.0]
    """
    steps = np.rint(scores * np.float32(STEPS)).clip(-STEPS, STEPS)
    return steps.astype(np.float64) / STEPS


def _padded(matrix: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
    """Copy `matrix`, with rows of zeros at its end up to a multiple.

    Always a copy: NumPy gives the product of a matrix with itself to another BLAS routine than that of two.
    """
    padded = np.zeros((-(-len(matrix) // multiple) * multiple, matrix.shape[1]), np.float32)
    padded[: len(matrix)] = matrix
    return padded
