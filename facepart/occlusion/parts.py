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
        places: where its control regions lie, one place for each draw: by how many rows down and columns to the right
            its mask is moved, in pixels of the label map. None for a part that fits nowhere else on a face: it has no
            control.
    """

    name: str
    classes: tuple[int, ...]
    dilations: int
    label: str
    plural: bool = False
    places: tuple[tuple[int, int], ...] = ()

    @property
    def controllable(self) -> bool:
        """Whether its shape fits elsewhere on a face, so that it can have a control."""
        return bool(self.places)


# As `python -m benchmarks.control_places` printed them for the London set: for each part, places as far apart as
# twelve can be that fit on at least 85 % of its 204 photos, in random order. Multiples of 4; see `control.STEP`.
# fmt: off
_PLACES: dict[str, tuple[tuple[int, int], ...]] = {
    "eyes": (
        (164, 16), (68, -60), (108, -8), (44, 52), (220, 4), (-128, -20),
        (124, 60), (-56, -36), (-88, 20), (48, -4), (-44, 56), (156, -44),
    ),
    "brows": (
        (84, 28), (48, -12), (116, 20), (48, 20), (188, 16), (128, -20),
        (204, -12), (120, 52), (160, -12), (152, 28), (-48, -4), (96, -40),
    ),
    "eyes_brows": (
        (148, 36), (176, 8), (120, 36), (172, 32), (112, -36), (196, -16),
        (160, -40), (220, -8), (116, -8), (168, -16), (136, -36), (152, 8),
    ),
    "nose": (
        (-128, -108), (-60, -124), (-28, 128), (-48, 132), (-76, 104), (-80, -116),
        (-56, 112), (-100, 108), (-84, 124), (-124, 100), (8, 136), (-40, -124),
    ),
    "mouth": (
        (-184, -4), (-116, -60), (-164, -100), (-172, 64), (-228, 92), (-88, -116),
        (-316, 4), (-92, 112), (-264, 44), (-244, -56), (-88, 32), (-304, -60),
    ),
}
# fmt: on

_TABLE = (
    Part("eyes", (4, 5), 4, "eyes", plural=True, places=_PLACES["eyes"]),
    Part("brows", (2, 3), 2, "brows", plural=True, places=_PLACES["brows"]),
    # Glasses hide the eyes, so the original counts them in here, and not among the eyes alone.
    Part("eyes_brows", (2, 3, 4, 5, 6), 4, "eyes and brows", plural=True, places=_PLACES["eyes_brows"]),
    Part("nose", (10,), 3, "nose", places=_PLACES["nose"]),
    Part("mouth", (11, 12, 13), 4, "mouth", places=_PLACES["mouth"]),
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
