"""Arrays -> image files, whole or not at all."""

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facepart.errors import FacepartError
from facepart.files.atomic import write_bytes

# What OpenCV is told for each format. PNG is lossless at any level; 1 is the fastest that still compresses. WebP
# above 100 is lossless.
_OPTIONS = {
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],
}


def write_image(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture in the format that the extension of `path` names.

    Args:
        path: where to; all formats but ``.jpg`` (quality 95) are lossless. ``.pgm`` holds grey alone.
        pixels: uint8, (height, width) grey or (height, width, 3) RGB.

    Raises:
        FacepartError: the file cannot be written, or the format is not known.
    """
    extension = path.suffix.lower()
    if extension == ".pgm" and pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    elif pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
    try:
        written, encoded = cv2.imencode(extension, pixels, _OPTIONS.get(extension, []))
    except cv2.error as error:
        raise FacepartError(f"{path}: no image can be written in this format") from error
    if not written:
        raise FacepartError(f"{path}: the image cannot be encoded")
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
    image.save(buffer, "PNG", compress_level=1)
    write_bytes(path, buffer.getvalue())
