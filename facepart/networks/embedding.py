"""Faces -> embeddings of unit length."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError


def views(face: NDArray[np.uint8], flip: bool) -> NDArray[np.uint8]:
    """Return the images of a face that the network gets: the face and, if `flip`, its mirror image.

    Args:
        face: uint8 (h, w, 3).
        flip: whether to add the mirror image.

    Returns:
        uint8 (1 or 2, h, w, 3).
    """
    return np.stack([face, face[:, ::-1]]) if flip else face[None]


def unit_embedding(outputs: NDArray[Any]) -> NDArray[np.float32]:
    """Return one embedding for the views of one face: the sum of the network's outputs, with L2 norm 1.

    Args:
        outputs: float (k, ...), one output per view.

    Returns:
        float32 (d,).

    Raises:
        PhotoError: the sum has no direction (not finite, or zero).
    """
    total = outputs.reshape(len(outputs), -1).sum(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(total))
    if not np.isfinite(norm) or norm == 0.0:
        reason = "the embedding is not finite, or all zero; try --precision fp32"
        raise PhotoError(reason, stage="embed")
    return (total / norm).astype(np.float32)
