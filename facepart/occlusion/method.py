"""The ways in which a part of a photo can be lost.

How a part is removed matters for which parts seem important, so a study may take it away in more than one way. The
standard way is the blur of the original study; the constants that all ways share are in
:mod:`facepart.occlusion.recipe`, the replacements themselves in :mod:`facepart.occlusion.replace`.
"""

import math
from dataclasses import dataclass, replace

from facepart.errors import UsageError

OCCLUSIONS = ("blur", "mean", "grey", "noise", "pixelate", "inpaint")

# Those with a strength: the side of a box.
BOXED = ("blur", "pixelate")

# The original study's box filter, at 224x224.
STANDARD_BOX = 15

# Beyond these, the box is larger than the photo, and every part grows over all of the face.
_LARGEST_BOX = 223
_LARGEST_DILATION = 10.0


@dataclass(frozen=True)
class Way:
    """How a part is lost.

    Attributes:
        occlusion: what takes its place, one of :data:`OCCLUSIONS`.
        box: side of the box filter (``blur``) or of a mosaic's blocks (``pixelate``), in pixels of a photo of
            224x224; odd. The others have none, and this is then the standard one.
        dilation: how far the mask grows, in times of the original's dilation.

    Raises:
        UsageError: an unknown occlusion, or a box or dilation that cannot be.
    """

    occlusion: str = "blur"
    box: int = STANDARD_BOX
    dilation: float = 1.0

    def __post_init__(self) -> None:
        if self.occlusion not in OCCLUSIONS:
            raise UsageError(f"unknown occlusion {self.occlusion!r}; known: {' '.join(OCCLUSIONS)}")
        if self.occlusion not in BOXED and self.box != STANDARD_BOX:
            raise UsageError(f"{self.occlusion} has no box; only {' and '.join(BOXED)} have")
        if not (3 <= self.box <= _LARGEST_BOX and self.box % 2 == 1):
            raise UsageError(f"a box of {self.box} cannot be: it must be an odd number from 3 to {_LARGEST_BOX}")
        if not 0 <= self.dilation <= _LARGEST_DILATION:
            raise UsageError(f"a dilation of {self.dilation:g} cannot be: it must be 0 to {_LARGEST_DILATION:g}")

    @property
    def name(self) -> str:
        """Its name, fit for a file: ``blur`` for the standard way, else e.g. ``grey`` or ``blur-5-dilation-0.5``."""
        box = "" if self.box == STANDARD_BOX else f"-{self.box}"
        # Adding 0 makes a negative zero a plain one.
        dilation = "" if self.dilation == 1 else f"-dilation-{str(self.dilation + 0.0).removesuffix('.0')}"
        return f"{self.occlusion}{box}{dilation}"


STANDARD = Way()


def choose_way(text: str) -> Way:
    """Give the way of an occlusion's name, at the standard strength and dilation.

    Raises:
        UsageError: the name is not known.
    """
    return Way(text)


def sweep(text: str, base: Way = STANDARD) -> list[Way]:
    """Read a sweep: several ways that differ in one number.

    Args:
        text: ``blur=5,9,15,25`` or ``pixelate=...`` for boxes, with the dilation of `base`; ``dilation=0,0.5,1,2``
            for dilations of `base`.
        base: the way from which the others differ.

    Returns:
        A way for each number, in their order; `base` itself may be among them.

    Raises:
        UsageError: `text` is no such sweep.
    """
    swept, _, numbers = text.partition("=")
    try:
        if swept in BOXED:
            return [Way(swept, int(number), base.dilation) for number in numbers.split(",")]
        if swept == "dilation":
            return [replace(base, dilation=_finite(number)) for number in numbers.split(",")]
    except ValueError:
        pass
    except UsageError as error:
        raise UsageError(f"sweep {text!r}: {error}") from error
    raise UsageError(f"{text!r} is no sweep; write e.g. blur=5,9,15,25 or pixelate=9,15,25 or dilation=0,0.5,1,2")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
