"""Files whose pixels are whole though something around them is not: odd metadata, a missing end mark.

Pillow refuses such files, which other programs open. Here they are rewritten in memory without what is odd, and
decoded again; only files that Pillow has refused come here. The pixels themselves are never mended: a file that ends
in the middle of them stays refused.

Sources: PNG specification (W3C, 2nd edition), section 5; ITU-T T.81 (JPEG), annex B.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
# Chunks that pixels depend on although PNG calls them ancillary.
_TRANSPARENCY, _EXIF = b"tRNS", b"eXIf"

_JPEG = b"\xff\xd8"
_JPEG_END = b"\xff\xd9"
_SCAN = 0xDA
_COMMENT = 0xFE
# APP0 (JFIF), APP1 (EXIF: the orientation) and APP14 (Adobe: how colours are stored) stay; the others are metadata.
_NEEDED_APPS = {0xE0, 0xE1, 0xEE}
# A marker inside or after the data of a scan; FF00 is data, FFD0 to FFD7 only divide it.
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
# What is put in place of data that may be missing: different bits; the last has all marks that may divide the data.
_FILLERS = (
    bytes(range(1, 255)) * 4,
    bytes(range(254, 0, -3)) * 9,
    b"".join(bytes([0xFF, 0xD0 + number % 8]) + bytes(range(1, 255)) for number in range(16)),
)
_FREQUENCIES = 63
_PIECE = 1 << 20  # bytes that are decompressed at a time


def without_metadata(data: bytes) -> bytes | None:
    """Return a PNG or a JPEG without the metadata that pixels do not depend on; None for other formats."""
    if data.startswith(_PNG):
        return _PNG + b"".join(_needed_chunks(data)) + _PNG_END
    if data.startswith(_JPEG):
        return _JPEG + b"".join(_needed_segments(data))
    return None


def has_damaged_pixels(data: bytes) -> bool:
    """Return whether a PNG's checksums tell that its pixels are not those that were stored; False for other formats.

    Pillow passes over the CRC-32 of chunks of pixels. Where one is wrong, the checksum of the compressed data
    decides, so that a photo with whole pixels beside a wrong CRC-32 is read.
    """
    if not data.startswith(_PNG):
        return False
    pieces, whole = [], True
    start = len(_PNG)
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + length + 12
        if kind == b"IEND":
            break
        if kind == b"IDAT":
            body = memoryview(data)[start + 4 : end - 4]
            whole = whole and zlib.crc32(body) == int.from_bytes(data[end - 4 : end], "big")
            pieces.append(body[4:])
        start = end
    return not whole and not _is_whole_stream(pieces)


def _is_whole_stream(pieces: list[memoryview]) -> bool:
    """Return whether pieces of zlib's form have their checksum."""
    stream = zlib.decompressobj()
    try:
        for piece in pieces:
            # A little at a time: they may be made to fill the memory.
            rest = bytes(piece)
            while rest and not stream.eof:
                stream.decompress(rest, _PIECE)
                rest = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof


def decode_without_end(data: bytes, decode: Callable[[bytes], NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """Decode a JPEG that lacks its end mark.

    If the data of the last scan are whole, the pixels do not depend on what comes between them and the end mark; if
    not, the decoder would take it for the missing data.

    Args:
        data: the file.
        decode: decodes a whole file; it may raise.

    Returns:
        The pixels; None if some are missing, or it is no JPEG.
    """
    if not data.startswith(_JPEG):
        return None
    # Half of the end mark may be there.
    data = data.rstrip(b"\xff")
    if not _has_all_scans(data):
        return None
    pixels = decode(data + _JPEG_END)
    for filler in _FILLERS:
        if not np.array_equal(pixels, decode(data + filler + _JPEG_END)):
            return None
    return pixels


def _needed_chunks(data: bytes) -> Iterator[bytes]:
    """Yield the chunks of a PNG that its pixels depend on, and its EXIF if that is whole, up to the end mark."""
    start = len(_PNG)
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + length + 12
        chunk = data[start:end]
        whole = len(chunk) == length + 12 and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
        critical = not kind[0] & 0x20
        if kind == b"IEND":
            return
        if critical or kind == _TRANSPARENCY or (kind == _EXIF and whole):
            yield chunk
        start = end


def _segments(data: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Yield the segments of a JPEG: marker, and where they start and end. Of a scan, that is its head."""
    while found := _MARKER.search(data, start):
        marker = found[1][0]
        end = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
        if marker == _JPEG_END[1] or end > len(data):
            return
        yield marker, found.start(), end
        start = end


def _needed_segments(data: bytes) -> Iterator[bytes]:
    """Yield the segments of a JPEG that its pixels depend on; from the first scan on, all of it."""
    for marker, start, end in _segments(data, len(_JPEG)):
        if marker == _SCAN:
            yield data[start:]
            return
        if marker in _NEEDED_APPS or not (0xE0 <= marker <= 0xEF or marker == _COMMENT):
            yield data[start:end]


def _has_all_scans(data: bytes) -> bool:
    """Return whether a JPEG has a scan, however incomplete, for all bits of all frequencies of all its components."""
    components: set[int] = set()
    complete: dict[int, set[int]] = {}
    for marker, start, end in _segments(data, len(_JPEG)):
        body = data[start:end].lstrip(b"\xff")[3:]
        if marker in (0xC0, 0xC1, 0xC2) and len(body) > 5:
            components = set(body[6::3])
        elif marker == _SCAN and body and len(body) >= 2 * body[0] + 4:
            first, last, approximation = body[2 * body[0] + 1 :][:3]
            if not approximation & 0x0F:  # the lowest bit is in this scan
                for component in body[1 : 2 * body[0] + 1 : 2]:
                    complete.setdefault(component, set()).update(range(first, last + 1))
    return bool(components) and all(len(complete.get(each, ())) > _FREQUENCIES for each in components)
