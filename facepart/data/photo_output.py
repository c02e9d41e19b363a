"""Arrays -> image files, whole or not at all."""

import io
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facepart.errors import FacepartError
from facepart.files.addresses import is_address
from facepart.files.atomic import replacing, write_bytes

# OpenCV's options for each format. PNG is lossless with any options: here the fastest level, each row stored as its
# difference to the one above, and no repetitions sought but runs of one value (measured by benchmarks/png_options.py;
# trying every filter for every row takes much longer and saves 2 %). WebP above 100 is lossless.
_OPTIONS: dict[str, list[int]] = {
    ".png": [
        *(cv2.IMWRITE_PNG_COMPRESSION, 1),
        *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
        *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    ],
    **{extension: [cv2.IMWRITE_JPEG_QUALITY, 95] for extension in (".jpg", ".jpeg", ".jpe", ".jfif")},
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],
    **{extension: [] for extension in (".bmp", ".dib", ".ppm", ".pgm", ".pnm", ".tif", ".tiff")},
}
# Extensions that OpenCV knows by another name.
_SAME_FORMAT = {".jfif": ".jpg"}

# Pictures of more values are encoded some rows at a time.
_LARGE = 150_000_000

# How files of a format end; or where their size stands in them (32 bits, little-endian), and what is added to it.
_ENDS = {".png": b"\0\0\0\0IEND\xaeB`\x82", ".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9"}
_SIZE_AT = {".webp": (4, 8), ".bmp": (2, 0)}


def write_image(path: Path, pixels: NDArray[np.uint8], *, bgr: bool = False) -> int:
    """Write a picture in the format that the extension of `path` names.

    Args:
        path: where to; all formats but JPEG (quality 95) are lossless: the others that can be read, such as GIF,
            are not written. ``.pgm`` holds grey alone.
        pixels: uint8, (height, width) grey or (height, width, 3) RGB.
        bgr: the channels are in OpenCV's order, which saves a copy.

    Returns:
        The size of the file, in bytes.

    Raises:
        FacepartError: the file cannot be written, or the format is not known.
    """
    extension = path.suffix.lower()
    try:
        data = encode_image(extension, pixels, bgr=bgr)
    except cv2.error:
        # Without a cause: it is about this file, not about the disk (facepart.files.failures.of_one_file).
        raise FacepartError(f"{path}: no image can be written in this format; use PNG") from None
    write_bytes(path, data, sync=False)  # a later run checks that images are whole
    return len(data)


def encode_image(extension: str, pixels: NDArray[np.uint8], *, bgr: bool = False) -> bytes:
    """Encode a picture in the format of an extension such as ``.png``; see :func:`write_image`.

    Raises:
        cv2.error: the format is not known, or cannot hold such pixels.
    """
    if extension not in _OPTIONS:
        raise cv2.error(f"images are not written as {extension}")
    if extension == ".pgm" and pixels.ndim == 3:
        grey = cv2.COLOR_BGR2GRAY if bgr else cv2.COLOR_RGB2GRAY
        pixels = cv2.cvtColor(pixels, grey).astype(np.uint8, copy=False)
    elif pixels.ndim == 3 and not bgr:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)
    written, encoded = cv2.imencode(_SAME_FORMAT.get(extension, extension), pixels, _OPTIONS[extension])
    if not written:
        raise cv2.error(f"a picture of shape {pixels.shape} cannot be encoded as {extension}")
    return encoded.tobytes()


# First and last row, exclusive -> these rows of a picture, uint8 (rows, width, 3), in OpenCV's order of channels.
RowsOf = Callable[[int, int], NDArray[np.uint8]]


def write_by_rows(path: Path, shape: tuple[int, ...], rows_of: RowsOf, rows_at_once: int) -> int:
    """Write a picture as :func:`write_image` does; a large PNG is never in memory as a whole.

    Args:
        path: where to.
        shape: (height, width, 3).
        rows_of: makes rows of it.
        rows_at_once: how many rows are asked for at least.
    """
    if path.suffix.lower() != ".png" or math.prod(shape) <= _LARGE:
        return write_image(path, rows_of(0, shape[0]), bgr=True)
    with replacing(path, sync=False) as temporary, temporary.open("wb") as file:
        _encode_png(file, shape, rows_of, rows_at_once)
        return file.tell()


def _encode_png(file: BinaryIO, shape: tuple[int, ...], rows_of: RowsOf, rows_at_once: int) -> None:
    """Encode a picture as a PNG, some rows at a time.

    Source: PNG specification (W3C, 2nd edition): sections 5.3 (chunks), 9 (filter 2, up) and 11.2 (header).
    """
    height, width = shape[:2]
    file.write(b"\x89PNG\r\n\x1a\n")
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    above = np.zeros(3 * width, np.uint8)
    for top in range(0, height, rows_at_once):
        strip = cv2.cvtColor(rows_of(top, top + rows_at_once), cv2.COLOR_BGR2RGB)
        lines = strip.astype(np.uint8, copy=False).reshape(len(strip), -1)
        filtered = np.full((len(lines), 1 + len(above)), 2, np.uint8)
        np.subtract(lines[0], above, out=filtered[0, 1:])
        np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
        above = lines[-1].copy()
        _write_chunk(file, b"IDAT", packer.compress(filtered.data))
    _write_chunk(file, b"IDAT", packer.flush())
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I4s", len(data), kind))
    file.write(data)
    file.write(zlib.crc32(data, zlib.crc32(kind)).to_bytes(4, "big"))


def write_indexed_png(path: Path, indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> int:
    """Write a map of small numbers as a PNG whose pixels are the numbers and whose palette shows them.

    Args:
        path: where to.
        indices: uint8, (height, width).
        palette: uint8, (n, 3) RGB, the colour of each number.

    Returns:
        The size of the file, in bytes.
    """
    image = Image.fromarray(indices).convert("P")
    image.frombytes(indices.tobytes())
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    write_bytes(path, buffer.getvalue(), sync=False)
    return buffer.tell()


def is_whole_image(path: Path) -> bool:
    """Return whether an image that was written is not cut short, judged by its end.

    An empty file is not whole; of formats other than PNG, JPEG, WebP and BMP, and at an address, any other is.
    """
    if is_address(path):
        return True  # a store shows a file whole or not at all
    suffix = path.suffix.lower()
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, io.SEEK_END)
            if suffix in _SIZE_AT:
                start, more = _SIZE_AT[suffix]
                file.seek(start)
                return size > 0 and size == int.from_bytes(file.read(4), "little") + more
            end = _ENDS.get(suffix, b"")
            file.seek(max(size - len(end), 0))
            return size > 0 and file.read(len(end)) == end
    except OSError:
        return False
