"""A photo on disk -> an array of 8-bit RGB.

Pillow decodes, because it says when a file is cut short, where OpenCV returns a half-grey picture; JPEG pixels
are the same as OpenCV's (both use libjpeg-turbo).
"""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, read_whole

# Pillow's modes of one 16-bit channel; "I" is what a 16-bit PGM becomes.
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I")


class PhotoError(FacepartError):
    """A photo that cannot be worked on; the message is the reason alone, without the path.

    Attributes:
        stage: where it failed, e.g. ``read`` or ``align``.
    """

    def __init__(self, reason: str, stage: str = "read") -> None:
        super().__init__(reason)
        self.stage = stage


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Read a photo, turned upright by its EXIF orientation.

    Grey is repeated over the channels, alpha is dropped, 16 bits keep their upper 8, CMYK and palettes are
    converted; of several frames the first is taken.

    Returns:
        uint8 of shape (height, width, 3), RGB.

    Raises:
        PhotoError: the file is missing, cannot be opened, is cut short or is no image.
    """
    try:
        file = io.BytesIO(read_whole(path)) if is_address(path) else path
        with warnings.catch_warnings(), Image.open(file) as opened:
            # A photo that is merely large is not suspect here; one beyond Pillow's hard limit still raises.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened.load()
            image: Image.Image = opened
            ImageOps.exif_transpose(image, in_place=True)
            if image.mode in _DEEP_GREY:
                grey = np.asarray(image).astype(np.int64) >> 8
                return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
            # A copy, because Pillow's own memory is read-only.
            return np.array(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)
    except FileNotFoundError as error:
        raise PhotoError("no such file") from error
    except IsADirectoryError as error:
        raise PhotoError("is a folder") from error
    except PermissionError as error:
        raise PhotoError("no permission to read it") from error
    except UnidentifiedImageError as error:
        raise PhotoError("is not an image of a known kind") from error
    except MemoryError:
        raise
    except Exception as error:
        # A damaged file can make Pillow's decoders raise nearly anything (OSError, SyntaxError, struct.error ...).
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(f"cannot be decoded: {reason}") from error
