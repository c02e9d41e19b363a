"""Faces -> embeddings of unit length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.images import PhotoError
from facepart.images.resize import changed, resize, resize_around


def fit_face(face: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize a face to the recogniser's input; see :func:`facepart.images.resize.resize`.

    Args:
        face: uint8 (h, w, 3).
        height: rows wanted.
        width: columns wanted.

    Returns:
        uint8 (height, width, 3).
    """
    return resize(face, height, width)


def fit_versions(
    face: NDArray[np.uint8], versions: Sequence[NDArray[np.uint8]], height: int, width: int
) -> list[NDArray[np.uint8]]:
    """Resize a face, and versions of it that differ from it in places, to the recogniser's input.

    The same as :func:`fit_face` on each of them, but a version is resized only where it differs.

    Args:
        face: uint8 (h, w, 3).
        versions: each uint8 (h, w, 3).
        height: rows wanted.
        width: columns wanted.

    Returns:
        The face, then its versions, each uint8 (height, width, 3).
    """
    fitted = fit_face(face, height, width)
    if face.shape[0] % height == 0 and face.shape[1] % width == 0:
        # Whole blocks of pixels are averaged faster than differences are found.
        return [fitted, *(fit_face(version, height, width) for version in versions)]
    results = [fitted]
    for version in versions:
        place, patch = resize_around(version, changed(face, version), height, width)
        results.append(fitted.copy())
        results[-1][place] = patch
    return results


def views(face: NDArray[np.uint8], flip: bool) -> NDArray[np.uint8]:
    """Give the pictures of a face that the network sees: itself and, if wanted, its mirror image.

    Args:
        face: uint8 (h, w, 3).
        flip: whether to add the mirror image.

    Returns:
        uint8 (1 or 2, h, w, 3).
    """
    return np.stack([face, face[:, ::-1]]) if flip else face[None]


def unit_embedding(outputs: NDArray[Any]) -> NDArray[np.float32]:
    """Turn the network's outputs for the views of one face into one embedding: their sum, at L2 norm 1.

    Args:
        outputs: float (k, ...), an output a view.

    Returns:
        float32 (d,).

    Raises:
        PhotoError: the sum has no direction (not finite, or zero).
    """
    total = outputs.reshape(len(outputs), -1).sum(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(total))
    if not np.isfinite(norm) or norm == 0.0:
        reason = "the network gave no usable answer (not finite, or all zero); try --precision fp32"
        raise PhotoError(reason, stage="embed")
    return (total / norm).astype(np.float32)
