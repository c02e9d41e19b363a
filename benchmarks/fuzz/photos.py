"""Photos of each format, damaged."""

import struct
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from benchmarks.fuzz.kind import Kind
from facepart.data.photo_input import read_photo

SIDE = 48


def photo() -> Image.Image:
    """Return a photo with smooth and with noisy areas."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    smooth = np.stack([4 * rows, 4 * columns, 2 * (rows + columns)], axis=2)
    noise = np.random.default_rng(0).integers(0, 60, smooth.shape)
    return Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))


class Photo(Kind):
    """A photo of a format."""

    family = "photos"
    options: ClassVar[dict[str, Any]] = {}

    def make(self, folder: Path) -> None:
        """Write the photo."""
        exif = Image.Exif()
        exif[0x0112] = 6
        photo().save(folder / f"a.{self.name.partition(' ')[0]}", exif=exif, **self.options)

    def read(self, folder: Path) -> object:
        """Read it."""
        (path,) = folder.iterdir()
        return read_photo(path)


class Png(Photo):
    """A PNG: each of its chunks has a CRC-32."""

    name = "png"

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return whether a chunk that holds pixels, or says how they are stored, does not have its CRC-32."""
        data = (folder / victim).read_bytes()
        start = 8
        while start + 12 <= len(data):
            length, kind = struct.unpack_from(">I4s", data, start)
            end = start + length + 12
            critical = not kind[0] & 0x20
            if critical and (
                end > len(data) or zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big")
            ):
                return True
            if kind == b"IEND":
                return False
            start = end
        return True


class Jpeg(Photo):
    """A JPEG in one scan."""

    name = "jpg"


class Progressive(Photo):
    """A JPEG in several scans."""

    name = "jpeg progressive"
    options: ClassVar[dict[str, Any]] = {"progressive": True, "quality": 95}


class WebP(Photo):
    """A WebP."""

    name = "webp"


class Tiff(Photo):
    """A TIFF, compressed by LZW."""

    name = "tiff"
    options: ClassVar[dict[str, Any]] = {"compression": "tiff_lzw"}


class Bmp(Photo):
    """A BMP."""

    name = "bmp"
    share = 0.5


class Gif(Photo):
    """A GIF."""

    name = "gif"
    share = 0.5


class DeepTiff(Kind):
    """A TIFF of 16 bits."""

    name, family, share = "tiff 16 bits", "photos", 0.5

    def make(self, folder: Path) -> None:
        """Write the photo."""
        values = np.random.default_rng(1).integers(0, 65536, (SIDE, SIDE)).astype(np.uint16)
        Image.fromarray(values).save(folder / "a.tif")

    def read(self, folder: Path) -> object:
        """Read it."""
        return read_photo(folder / "a.tif")


KINDS: list[Kind] = [Png(), Jpeg(), Progressive(), WebP(), Tiff(), Bmp(), Gif(), DeepTiff()]
