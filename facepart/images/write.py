"""Arrays -> image files, whole or not at all."""

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facepart.errors import FacepartError
from facepart.files.atomic import write_bytes

# PNG is lossless at any level; 1 is the fastest that still compresses.
_PNG_LEVEL = 1
_JPEG_QUALITY = 95


def write_image(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture in the format that the extension of `path` names.

    Args:
        path: where to; ``.png`` is lossless, ``.jpg`` has quality 95.
        pixels: uint8, (height, width) grey or (height, width, 3) RGB.

    Raises:
        FacepartError: the file cannot be written, or the format is not known.
    """
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
    options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL, cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    try:
        encoded = cv2.imencode(path.suffix.lower(), pixels, options)[1]
    except cv2.error as error:
        raise FacepartError(f"{path}: no image can be written in this format") from error
    write_bytes(path, encoded.tobytes())


def write_indexed_png(path: Path, indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> None:
    """Write a map of small numbers as a PNG whose pixels are the numbers and whose palette shows them.

    Args:
        path: where to.
        indices: uint8, (height, width).
        palette: uint8, (n, 3) RGB, the colour of each number.
    """
    image = Image.fromarray(indices).convert("P")
    image.frombytes(indices.tobytes())
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=_PNG_LEVEL)
    write_bytes(path, buffer.getvalue())
