"""Faces -> embeddings of unit length."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError


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
