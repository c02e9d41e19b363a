"""The parts of a face, as sets of label-map classes, and their masks.

The sets are those of the original study (github.com/abhatta1234/computerVisionI, face_parsing_BiSeNet_v2). Its
folders call eyes_brows ``eyeswbrows`` and mouth ``mouthwlips``.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.errors import UsageError

# Part -> the classes (numbers in facepart.networks.CLASSES) that belong to it.
PARTS: dict[str, tuple[int, ...]] = {
    "eyes": (4, 5),
    "brows": (2, 3),
    # Glasses hide the eyes, so the original counts them in here (and not among the eyes alone).
    "eyes_brows": (2, 3, 4, 5, 6),
    "nose": (10,),
    "mouth": (11, 12, 13),
    "hair": (17,),
    "skin": (1,),
}

# The classes of the head: all but background, neck, necklace, cloth and hat.
HEAD = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17)


def choose_parts(names: Sequence[str]) -> tuple[str, ...]:
    """Check the names of parts; give them without repeats, in the order of :data:`PARTS`.

    Raises:
        UsageError: a name is not known, or there is none.
    """
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        wrong = f"unknown part {unknown[0]!r}" if unknown else "no part named"
        raise UsageError(f"{wrong}; known: {' '.join(PARTS)}")
    return tuple(part for part in PARTS if part in names)


def part_mask(labels: NDArray[np.uint8], part: str) -> NDArray[np.uint8]:
    """Give the mask of one part.

    Args:
        labels: a label map, uint8 (h, w), values 0..18.
        part: a key of :data:`PARTS`.

    Returns:
        uint8 (h, w): 255 where the part is, else 0.
    """
    # The classes of each part follow on one another, and a comparison is faster than a table.
    return cv2.inRange(labels, min(PARTS[part]), max(PARTS[part])).astype(np.uint8, copy=False)
