"""Two tiles of embeddings -> the scores of their pairs: cosines, rounded to 6 decimals.

Impostor scores come from a float32 product. Authentic scores are few, high, and each of them moves d' much more;
there the error of a float32 product, up to 6e-7, is as large as the rounding. They come from products of whole
numbers, the embeddings in units of 2^-26: every sum of them is below 2^53, so that float64 holds it exactly,
in whatever order it is taken. Authentic scores are the same on every machine.

What is guaranteed of impostor scores. Every product is of two padded tiles of one shape, taken by one thread. So a
score depends on its two embeddings, on the machine's BLAS, and at most on where in their tiles the two stand: never
on the number of threads, on how the pairs are then cut into blocks, nor on what else the lists hold. With PyTorch's
BLAS on x86-64 (MKL), a float32 product does not depend on the place either, nor on the tiles' size from some 40 rows
on, nor on which of the two faces is the probe: every element is the same sum in the same order
(tests/test_matching_cosine.py holds it to that). It has to be so, because rounding does not hide the order in which a
BLAS adds: float32 cosines of one pair that differ in the last bit fall on different sides of a rounding step for
about one pair in a hundred. NumPy's BLAS (OpenBLAS) adds in an order that depends on the place even inside one
product, and is not used for that reason. On another kind of machine an impostor score may move by one step of 1e-6,
never by more.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.scores import STEPS

# Faces on either side of a tile. On the CPU two embeddings' tiles of 512 x 512 and their product take 1 MB each,
# about what a core's own cache holds; half or twice as much is not slower by more than 5 %.
TILE = 512
# Authentic scores are of embeddings in these units.
UNITS = 2.0**26
# Probes of a tile whose authentic scores are computed together.
_AUTHENTIC_ROWS = 64
# Rows that are normalised at a time, in float64.
_BLOCK = 4096


def unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide every row by its Euclidean length, in float64, and round the quotients to float32.

    Args:
        matrix: float32, (n, d), finite, no row all zero.

    Returns:
        float32, (n, d), rows of length 1.

    Example:
        >>> unit_rows(np.array([[3, 4]], dtype=np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """
    found = np.empty(matrix.shape, np.float32)
    for first in range(0, len(matrix), _BLOCK):
        rows = matrix[first : first + _BLOCK].astype(np.float64)
        found[first : first + _BLOCK] = rows / np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return found


def padded(matrix: NDArray[np.float32], multiple: int, order: NDArray[np.int64] | None = None) -> torch.Tensor:
    """Return a copy of a matrix with rows of zeros at its end up to a multiple.

    Args:
        matrix: float32, (n, d).
        multiple: of what the number of rows becomes one, at least once.
        order: int64, (k,), the rows that are wanted, in their order; None for all as they are.
    """
    count = len(matrix if order is None else order)
    copy = np.zeros((max(-(-count // multiple), 1) * multiple, matrix.shape[1]), np.float32)
    if order is None:
        copy[:count] = matrix
    else:
        np.take(matrix, order, axis=0, out=copy[:count], mode="clip")  # the one mode that needs no second copy
    return torch.from_numpy(copy)


def tile_steps(
    probe: torch.Tensor, gallery: torch.Tensor, authentic: torch.Tensor | None, out: torch.Tensor
) -> torch.Tensor:
    """Compute the scores of all pairs of two tiles, in whole millionths.

    Args:
        probe: float32, (r, d), rows of length 1, or of zeros.
        gallery: float32, (c, d), likewise.
        authentic: bool, of at most (r, c): which pairs of the first rows and columns are authentic; None if none is.
        out: float32, (r, c): where the scores go.

    Returns:
        `out`: whole numbers, -1,000,000 to 1,000,000.
    """
    torch.mm(probe, gallery.T, out=out)
    round_steps(out)
    if authentic is not None:
        rows = authentic.any(1).nonzero().view(-1)
        for first in range(0, len(rows), _AUTHENTIC_ROWS):
            i = rows[first : first + _AUTHENTIC_ROWS]
            # All pairs of these rows with the columns of any of them, more than are authentic: a product of matrices
            # takes a tenth of the time a pair, and faces of one subject usually stand side by side.
            j = authentic[i].any(0).nonzero().view(-1)
            exact = exact_steps(probe[i], gallery[j]).to(out.dtype)
            there = i[:, None], j
            out[there] = torch.where(authentic[there], exact, out[there])
    return out


def exact_steps(probe: torch.Tensor, gallery: torch.Tensor) -> torch.Tensor:
    """Compute the scores of all pairs of two sides without a rounding before the last: those of authentic pairs.

    Sums of products of whole numbers that stay below 2^53 are exact in float64, in whatever order a BLAS takes them.

    Args:
        probe: float32, (r, d), rows of length 1.
        gallery: float32, (c, d), likewise.

    Returns:
        float64, (r, c), whole numbers, -1,000,000 to 1,000,000; of each pair the same as :func:`tile_steps` gives it
        if it is authentic.
    """
    return round_steps(torch.mm(_whole(probe), _whole(gallery).T).div_(UNITS**2))


def round_steps(cosines: torch.Tensor) -> torch.Tensor:
    """Round cosines to whole millionths, in place; what floats put a hair outside -1..1 becomes -1 or 1.

    Args:
        cosines: float32 or float64, of any shape.
    """
    return cosines.mul_(STEPS).round_().clamp_(-STEPS, STEPS)


def _whole(embeddings: torch.Tensor) -> torch.Tensor:
    """Return embeddings in whole units, float64."""
    return embeddings.double().mul_(UNITS).round_()
