"""A label map on disk -> an array of the numbers of its pixels.

Label maps are PNG files whose pixels are numbers: with a palette, whose colours do not matter, or grey, 8 bits each.
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from facepart.data.photo_repair import has_damaged_pixels
from facepart.data.pillow_settings import MOST_PIXELS, PILLOW_SETTINGS
from facepart.errors import FacepartError, first_line
from facepart.files.addresses import read_whole

_WITH_NUMBERS = ("P", "L")


def read_label_map(path: Path) -> NDArray[np.uint8]:
    """Read a label map.

    Returns:
        uint8 (height, width): the numbers as they are stored.

    Raises:
        FacepartError: the file is missing, cannot be read, is damaged, or is no PNG with 8-bit numbers.
    """
    try:
        data = read_whole(path)
        with PILLOW_SETTINGS, Image.open(io.BytesIO(data)) as image:
            if image.format != "PNG":
                raise FacepartError(f"{path}: is a file of the kind {image.format}; label maps are PNG files")
            if image.mode not in _WITH_NUMBERS:
                raise FacepartError(
                    f"{path}: its pixels are {_mode_name(image.mode)}, not the numbers of classes; a label map is a "
                    "PNG with a palette, or grey with 8 bits"
                )
            # Pillow stretches grey of fewer bits to 0..255.
            if image.mode == "L" and ";" in str(image.tile[0].args):
                raise FacepartError(f"{path}: has less than 8 bits of grey; save it with a palette, or with 8 bits")
            numbers = np.array(image, dtype=np.uint8)
        if has_damaged_pixels(data):
            raise FacepartError(f"{path}: its pixels are damaged: they do not have their checksum")
        return numbers
    except FacepartError:
        raise
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such label map") from error
    except UnidentifiedImageError as error:
        raise FacepartError(f"{path}: is not a PNG file") from error
    except Image.DecompressionBombError as error:
        raise FacepartError(f"{path}: is larger than {MOST_PIXELS // 10**6} megapixels") from error
    except Exception as error:
        # A damaged file can make Pillow's decoders raise nearly anything.
        reason = getattr(error, "strerror", None) or " ".join(first_line(error).split())
        raise FacepartError(f"{path}: cannot be read: {reason}") from error


def _mode_name(mode: str) -> str:
    """Return a mode of Pillow in words."""
    if mode.startswith(("RGB", "LA", "PA")):
        return "colours" if mode.startswith("RGB") else "grey or colours with transparency"
    return {"1": "of 1 bit", "I": "of 16 bits", "I;16": "of 16 bits", "I;16B": "of 16 bits"}.get(mode, f"{mode}")
