"""Arrays -> image files, whole or not at all.

PNG has its own few lines here, since most of a run's time beside the network goes into it: fourteen PNGs a photo.
"""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.atomic import write_bytes

# What OpenCV is told for other formats. WebP above 100 is lossless.
_OPTIONS = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],
}

# Names and numbers of the PNG specification, https://www.w3.org/TR/png-3/.
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _INDEXED = 0, 2, 3
_UP = 2


def write_image(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture in the format that the extension of `path` names.

    Args:
        path: where to; all formats but ``.jpg`` (quality 95) are lossless. ``.pgm`` holds grey alone.
        pixels: uint8, (height, width) grey or (height, width, 3) RGB.

    Raises:
        FacepartError: the file cannot be written, or the format is not known.
    """
    extension = path.suffix.lower()
    if extension == ".png":
        write_bytes(path, encode_png(pixels))
        return
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
    write_bytes(path, encode_png(indices, palette))


def encode_png(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> bytes:
    """Encode pixels as a PNG, without loss.

    Each row is stored as its difference to the one above, compressed at the fastest level: on photos no larger than
    what libpng makes at that level with the best filter for each row, and several times faster.

    Args:
        pixels: uint8, (height, width) grey or (height, width, 3) RGB.
        palette: uint8, (n, 3) RGB: pixels are not grey but numbers of these colours.
    """
    height, width = pixels.shape[:2]
    colour = _COLOUR if pixels.ndim == 3 else _GREY if palette is None else _INDEXED
    values = pixels.reshape(height, -1)
    rows = np.empty((height, 1 + values.shape[1]), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=rows[1:, 1:])
    # 8 bits a sample; deflate, the five filters of every PNG, and no interlacing have the number 0.
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b"")]
    if palette is not None:
        chunks.insert(1, (b"PLTE", palette.tobytes()))
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
