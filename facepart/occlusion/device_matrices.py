"""Resizing and filtering as products with small matrices: a dense step that a GPU does for many photos at once.

A matrix acts on one axis: ``rows @ image @ columns.T``. They are made on the host, in float64.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.soften import gaussian_kernel

Matrix = NDArray[np.float64]


def area_matrix(old: int, new: int) -> Matrix:
    """Return the matrix (new, old) that averages by area, as ``cv2.INTER_AREA`` does where an axis shrinks."""
    edges = np.arange(new + 1) * old / new
    low = np.maximum.outer(edges[:-1], np.arange(old))
    high = np.minimum.outer(edges[1:], np.arange(1, old + 1))
    return np.maximum(high - low, 0) * new / old


def linear_matrix(old: int, new: int) -> Matrix:
    """Return the matrix (new, old) that interpolates between the two nearest pixels, as ``cv2.INTER_LINEAR``."""
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    below = np.floor(centres).astype(int)
    matrix = np.zeros((new, old))
    np.add.at(matrix, (np.arange(new), below), 1 - (centres - below))
    np.add.at(matrix, (np.arange(new), np.minimum(below + 1, old - 1)), centres - below)
    return matrix


def triangle_matrix(old: int, new: int) -> Matrix:
    """Return the matrix (new, old) of Pillow's ``BILINEAR``: a triangle, widened where the axis shrinks.

    Source: ``precompute_coeffs`` in Pillow's ``Resample.c``.
    """
    scale = old / new
    wide = max(scale, 1.0)
    centres = (np.arange(new)[:, None] + 0.5) * scale
    first = np.maximum((centres - wide + 0.5).astype(int), 0)
    last = np.minimum((centres + wide + 0.5).astype(int), old)
    at = np.arange(old)[None]
    weights = np.maximum(1 - np.abs((at - centres + 0.5) / wide), 0) * ((at >= first) & (at < last))
    return weights / weights.sum(1, keepdims=True)


def gaussian_matrix(size: int, sigma: float) -> Matrix:
    """Return the matrix (size, size) of the Gaussian of soft masks, mirrored at the border with the edge repeated."""
    return _filter_matrix(size, gaussian_kernel(sigma).astype(np.float64), repeat=True)


def box_matrix(size: int, box: int) -> Matrix:
    """Return the matrix (size, size) that adds up the `box` pixels around each, mirrored without the edge."""
    return _filter_matrix(size, np.ones(box), repeat=False)


def block_matrix(size: int, box: int) -> Matrix:
    """Return the matrix (blocks, size) that adds up blocks of `box` pixels; the last may have fewer."""
    matrix = np.zeros((math.ceil(size / box), size))
    matrix[np.arange(size) // box, np.arange(size)] = 1
    return matrix


# Name -> the function that makes the matrix of an axis of so many pixels.
MATRICES: dict[str, Callable[..., Matrix]] = {
    "area": area_matrix,
    "linear": linear_matrix,
    "triangle": triangle_matrix,
    "gaussian": gaussian_matrix,
    "box": box_matrix,
    "block": block_matrix,
}


def _filter_matrix(size: int, kernel: Matrix, *, repeat: bool) -> Matrix:
    reach = len(kernel) // 2
    rows = np.arange(size)[:, None]
    columns = _mirrored(rows + np.arange(-reach, reach + 1), size, repeat)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.broadcast_to(rows, columns.shape), columns), kernel)
    return matrix


def _mirrored(places: NDArray[np.int64], size: int, repeat: bool) -> NDArray[np.int64]:
    """Return the places inside an axis that those beyond its ends stand for."""
    period = 2 * size if repeat else max(2 * size - 2, 1)
    within = places % period
    return np.where(within < size, within, period - within - (1 if repeat else 0))
