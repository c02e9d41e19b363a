"""The parts of a face: one table, and the masks that follow from it.

Adding a part is adding a row: masks, recipe, help, plots and report read the table. The rows are those of the
original study (github.com/abhatta1234/computerVisionI, face_parsing_BiSeNet_v2), whose folders call eyes_brows
``eyeswbrows`` and mouth ``mouthwlips``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepart.errors import UsageError


@dataclass(frozen=True)
class Part:
    """A part of the face.

    Attributes:
        name: as in commands, folders and tables.
        classes: the label-map classes that it is made of, numbers of :data:`facepart.networks.label_map.CLASSES`.
        dilations: how often its mask is dilated with a 5x5 square, on a photo of 224x224.
        label: its name in a sentence.
        plural: whether a sentence says "are" of it, not "is".
    """

    name: str
    classes: tuple[int, ...]
    dilations: int
    label: str
    plural: bool = False


_TABLE = (
    Part("eyes", (4, 5), 4, "eyes", plural=True),
    Part("brows", (2, 3), 2, "brows", plural=True),
    # Glasses hide the eyes, so the original counts them in here, and not among the eyes alone.
    Part("eyes_brows", (2, 3, 4, 5, 6), 4, "eyes and brows", plural=True),
    Part("nose", (10,), 3, "nose"),
    Part("mouth", (11, 12, 13), 4, "mouth"),
    Part("hair", (17,), 4, "hair"),
    Part("skin", (1,), 0, "skin"),
)

# By name.
PARTS: dict[str, Part] = {part.name: part for part in _TABLE}

# The classes of the head: all but background, neck, necklace, cloth and hat.
HEAD = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17)


def choose_parts(names: Sequence[str]) -> tuple[str, ...]:
    """Check the names of parts; return them without repeats, in the order of :data:`PARTS`.

    Raises:
        UsageError: a name is unknown, or there is no name.
    """
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        wrong = f"unknown part {unknown[0]!r}" if unknown else "no part named"
        raise UsageError(f"{wrong}; known: {' '.join(PARTS)}")
    return tuple(part for part in PARTS if part in names)


def class_mask(labels: NDArray[np.uint8], classes: Collection[int]) -> NDArray[np.uint8]:
    """Return the mask of some classes of a label map.

    Args:
        labels: uint8 (h, w), values 0..18.
        classes: in any order; they need not follow each other.

    Returns:
        uint8 (h, w): 255 where the label is one of `classes`, else 0.
    """
    # Imported here: every command reads the table for its help, and OpenCV takes as long to load as all the rest.
    import cv2

    low, high = min(classes), max(classes)
    if high - low + 1 == len(set(classes)):
        # Faster than a look-up table.
        return cv2.inRange(labels, low, high).astype(np.uint8, copy=False)
    table = np.zeros(256, np.uint8)
    table[list(classes)] = 255
    return cv2.LUT(labels, table).astype(np.uint8, copy=False)


def part_mask(labels: NDArray[np.uint8], part: str) -> NDArray[np.uint8]:
    """Return the mask of one part, a key of :data:`PARTS`; see :func:`class_mask`."""
    return class_mask(labels, PARTS[part].classes)
