"""Grey photos of more than 8 bits -> 8 bits.

The range of 16-bit values is that of 16 bits, of which the upper 8 are kept, unless the file declares another one:
TIFF's tags BitsPerSample, SMinSampleValue and SMaxSampleValue, or MinSampleValue and MaxSampleValue (TIFF 6.0,
sections 8 and 19). Values of 32 bits and floats have no range unless one is declared: 0..1 and 0..255 are both usual.
A range is never guessed from the values.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffTags import TAGS_V2

# Pillow's modes of one channel of 16 bits, of 32, and of floats; "I" is also what a 16-bit PGM becomes.
_MODES_16 = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
DEEP_MODES = _MODES_16 | {"I", "F"}

_TAGS = {tag.name: number for number, tag in TAGS_V2.items()}
_BITS = _TAGS["BitsPerSample"]
_PHOTOMETRIC = _TAGS["PhotometricInterpretation"]
_WHITE_IS_ZERO = 0
_FULL = 0xFFFF
# Cameras give 10 to 14 bits. A photo that uses none of the upper 2 of 16 has such values, not scaled to 16 bits.
DARKEST_16 = 1 << 14


class Depth(NamedTuple):
    """How the values of a photo become 8 bits.

    Attributes:
        low: the value of black.
        high: the value of white.
        declared: whether the file says so; else it is the range of its type.
        inverted: whether `low` is white and `high` black.
    """

    low: float
    high: float
    declared: bool = False
    inverted: bool = False

    def scale(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Scale values, of any shape, to 0..255; what is outside the range is black or white, and so is no number.

        A range of whole numbers is divided into 256 equal steps, so that one of n bits keeps its upper 8.
        """
        if self.high == _FULL and self.low == 0 and values.dtype.kind == "u":
            scaled = (values >> 8).astype(np.uint8)
        else:
            # A whole number stands for the values up to the next.
            step = 0 if values.dtype.kind == "f" else 1
            share = (values.astype(np.float64) - self.low) / (self.high - self.low + step)
            steps = np.floor(256 * share) if step else np.rint(255 * share)
            scaled = np.nan_to_num(np.clip(steps, 0, 255)).astype(np.uint8)
        return np.bitwise_not(scaled) if self.inverted else scaled


def find_depth(image: Image.Image) -> Depth | None:
    """Return how a photo of one of :data:`DEEP_MODES` becomes 8 bits; None if that is not known.

    Args:
        image: opened, and not loaded yet.
    """
    tags = getattr(image, "tag_v2", None) or {}
    inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and image.mode in DEEP_MODES
    for lowest, highest in (("SMinSampleValue", "SMaxSampleValue"), ("MinSampleValue", "MaxSampleValue")):
        low, high = _number(tags.get(_TAGS[lowest])), _number(tags.get(_TAGS[highest]))
        if high is not None and np.isfinite(high) and high > (low or 0.0):
            return Depth(low or 0.0, high, True, inverted)
    if image.format == "PPM" and image.mode == "I":
        # Pillow scales every other range that a PGM declares to 16 bits.
        return Depth(0, _FULL, image.tile[0].codec_name != "raw", inverted)  # type: ignore[attr-defined]
    if image.mode not in _MODES_16:
        return None
    bits = _number(tags.get(_BITS)) or 16
    return Depth(0, 2**bits - 1, bits < 16, inverted)


def _number(value: object) -> float | None:
    """Return a tag's value, or the first of several, as a number; None if it is none."""
    first = value[0] if isinstance(value, tuple) and value else value
    try:
        return None if first is None else float(first)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
