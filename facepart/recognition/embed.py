"""Faces -> embeddings of unit length."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.images import PhotoError


def fit_face(face: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize a face to the recogniser's input.

    By area where it shrinks, which keeps what is finer than a pixel from turning into noise; linearly where it grows.

    Args:
        face: uint8 (h, w, 3).
        height: rows wanted.
        width: columns wanted.

    Returns:
        uint8 (height, width, 3).
    """
    if face.shape[:2] == (height, width):
        return face
    shrinks = height <= face.shape[0] and width <= face.shape[1]
    fitted = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return fitted.astype(np.uint8, copy=False)


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
        raise PhotoError("the network gave no usable answer (not finite, or all zero)", stage="embed")
    return (total / norm).astype(np.float32)
