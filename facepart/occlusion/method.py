"""How a part is occluded: what replaces it, how strong it is, and how far the part's mask grows.

How a part is removed matters for which parts seem important, so a study may use several methods. The standard method
is the blur of the original study. The constants that all methods share are in :mod:`facepart.occlusion.recipe`, the
replacements themselves in :mod:`facepart.occlusion.replace`.
"""

import math
from dataclasses import dataclass, replace

from facepart.errors import UsageError
from facepart.suggestion import did_you_mean

# The average face of a study.
AVERAGE = "average"

OCCLUDERS = ("blur", "mean", "grey", "noise", "pixelate", "inpaint", AVERAGE)

# Those with a strength: the side of a box.
BOXED = ("blur", "pixelate")

# The original study's box filter, at 224x224.
STANDARD_BOX = 15

# Beyond these, the box is larger than the photo, and every part grows over all of the face.
_LARGEST_BOX = 223
_LARGEST_DILATION = 10.0


@dataclass(frozen=True)
class OcclusionMethod:
    """How a part is occluded.

    Attributes:
        occluder: what replaces the part, one of :data:`OCCLUDERS`.
        box: side of the box filter (``blur``) or of a mosaic's blocks (``pixelate``), in pixels of a photo of
            224x224; odd. The others have none, and this is then the standard one.
        dilation: how far the mask grows, as a multiple of the original's dilation.
        average: for ``average``, a digest of the photos that the average face is of; empty where it is not known yet.

    Raises:
        UsageError: an unknown occluder, or an impossible box or dilation.
    """

    occluder: str = "blur"
    box: int = STANDARD_BOX
    dilation: float = 1.0
    average: str = ""

    def __post_init__(self) -> None:
        if self.occluder not in OCCLUDERS:
            near = did_you_mean(self.occluder, OCCLUDERS)
            raise UsageError(f"unknown occlusion {self.occluder!r}{near}; known: {' '.join(OCCLUDERS)}")
        if self.occluder not in BOXED and self.box != STANDARD_BOX:
            raise UsageError(f"{self.occluder} has no box; only {' and '.join(BOXED)} have one")
        if not (3 <= self.box <= _LARGEST_BOX and self.box % 2 == 1):
            raise UsageError(f"a box of {self.box} is impossible: it must be an odd number from 3 to {_LARGEST_BOX}")
        if not 0 <= self.dilation <= _LARGEST_DILATION:
            raise UsageError(
                f"a dilation of {self.dilation:g} is impossible: it must be from 0 to {_LARGEST_DILATION:g}"
            )

    @property
    def name(self) -> str:
        """Its name, fit for a file: ``blur`` for the standard method, else e.g. ``grey`` or ``blur-5-dilation-2``."""
        box = "" if self.box == STANDARD_BOX else f"-{self.box}"
        # Adding 0 makes a negative zero a plain one.
        dilation = "" if self.dilation == 1 else f"-dilation-{str(self.dilation + 0.0).removesuffix('.0')}"
        return f"{self.occluder}{box}{dilation}"


STANDARD = OcclusionMethod()


def parse_sweep(text: str, base: OcclusionMethod = STANDARD) -> list[OcclusionMethod]:
    """Read a sweep: several methods that differ in one number.

    Args:
        text: ``blur=5,9,15,25`` or ``pixelate=...`` for boxes, with the dilation of `base`; ``dilation=0,0.5,1,2``
            for dilations of `base`.
        base: the method from which the others differ.

    Returns:
        A method for each number, in their order; `base` itself may be among them.

    Raises:
        UsageError: `text` is not a sweep.
    """
    swept, _, numbers = text.partition("=")
    try:
        if swept in BOXED:
            return [OcclusionMethod(swept, int(number), base.dilation) for number in numbers.split(",")]
        if swept == "dilation":
            return [replace(base, dilation=_finite(number)) for number in numbers.split(",")]
    except ValueError:
        pass
    except UsageError as error:
        raise UsageError(f"sweep {text!r}: {error}") from error
    raise UsageError(f"{text!r} is not a sweep; write e.g. blur=5,9,15,25, pixelate=9,15,25 or dilation=0,0.5,1,2")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
