"""The control of a part: its own shape, occluded elsewhere on the face.

A part may seem important only because it is large. Its control is the same shape, occluded at another place of the
face; what the part moves beyond its control is then its own. A control is a mask like a part's, and
:func:`facepart.occlusion.occlude.occlude_parts` softens and occludes it in the same way.

A part lies at one place of the face in all photos, so its control must, too: if the two photos of a pair lost
different places, the pair would lose two places where the part loses one. So a control is one displacement for each
part and draw, the same in all photos, in pixels of the label map and relative to the part's own place. The controls
of two photos then lie apart exactly as far as the parts do. On a face where the shape does not fit at that place, it
is moved to the nearest place where it does.

Places differ, so the draws are a random sample of a part's places (:attr:`facepart.occlusion.parts.Part.places`), and
:mod:`facepart.analysis.place_variance` estimates how much that adds to the uncertainty. A part without places, such
as skin or hair, fits nowhere else on a face and has no control.
"""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.networks.label_map import SIZE
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.parts import HEAD, PARTS, Part, class_mask, part_mask
from facepart.occlusion.recipe import growth

MOVED = "moved"

# To be raised whenever a draw comes to give another mask, so that controls of both kinds are never mixed.
VERSION = 2

# How much of a moved shape must lie on the face, at least.
INSIDE = 0.97

# Shapes are moved by multiples of so many pixels of the label map: less than 2 pixels of a photo of 224x224.
STEP = 4


class Control(NamedTuple):
    """The mask of a control.

    Attributes:
        mask: uint8 (512, 512), 0 or 255; all 0 where there is no control.
        kind: :data:`MOVED`, or empty where there is no control.
    """

    mask: NDArray[np.uint8]
    kind: str


def control_mask(labels: NDArray[np.uint8], part: Part, draw: int, method: OcclusionMethod = STANDARD) -> Control:
    """Move a part's shape to another place of the face.

    A place fits if at least 97 % of the shape lie on the face (the head without hair), and none of it, once grown as
    the part's mask is, covers the part. The shape goes where the draw's displacement says, or to the nearest place
    that fits; of places equally near, to the uppermost, then the leftmost.

    Args:
        labels: a label map, uint8 (512, 512).
        part: the part.
        draw: from 1 on, at most the number of the part's places.
        method: how the region is occluded; its dilation matters here.

    Returns:
        The control; empty if the part is not on the photo, has no places, or fits nowhere else on this face. Whether
        there is one does not depend on the draw.
    """
    mask = part_mask(labels, part)
    moved = np.zeros_like(mask)
    if not part.places or not cv2.countNonZero(mask):
        return Control(moved, "")
    down, right = part.places[draw - 1]
    left, top, columns, rows = cv2.boundingRect(mask)
    room = Room(labels, part, method)
    place = room.nearest(top + down, left + right)
    if place is None:
        return Control(moved, "")
    moved[place[0] : place[0] + rows, place[1] : place[1] + columns] = room.shape
    return Control(moved, MOVED)


class Room:
    """The room that a face has for a part's shape elsewhere.

    Attributes:
        shape: uint8 (rows, columns), 0 or 255: the part's mask, cut out.
    """

    def __init__(self, labels: NDArray[np.uint8], part: Part, method: OcclusionMethod = STANDARD) -> None:
        """Take a face.

        Args:
            labels: uint8 (512, 512).
            part: which is on it.
            method: its dilation matters.
        """
        mask = part_mask(labels, part)
        left, top, columns, rows = cv2.boundingRect(mask)
        self.shape = mask[top : top + rows, left : left + columns]
        radius = growth(part.dilations, SIZE, SIZE, method)
        square = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * radius + 1, 2 * radius + 1))
        self._near = cv2.dilate(mask, square)
        self._face = class_mask(labels, HEAD) - part_mask(labels, PARTS["hair"])
        self._needed = INSIDE * cv2.countNonZero(mask)

    def fits(self, row: int, column: int) -> bool:
        """Return whether the shape fits with the corner of its rectangle at a place within the label map."""
        rows, columns = self.shape.shape
        place = slice(row, row + rows), slice(column, column + columns)
        if cv2.countNonZero(cv2.bitwise_and(self.shape, self._near[place])):
            return False
        return cv2.countNonZero(cv2.bitwise_and(self.shape, self._face[place])) >= self._needed

    def nearest(self, row: int, column: int) -> tuple[int, int] | None:
        """Return the place nearest to a wanted one where the shape fits.

        Args:
            row: wanted for the top of the shape's rectangle; places beyond the label map are first moved into it.
            column: wanted for its left side.

        Returns:
            Row and column, multiples of :data:`STEP` from those wanted; None if the shape fits nowhere.
        """
        rows, columns = self.shape.shape
        row, column = _within(row, SIZE - rows), _within(column, SIZE - columns)
        for down, right in _steps():
            place = row + down, column + right
            if 0 <= place[0] <= SIZE - rows and 0 <= place[1] <= SIZE - columns and self.fits(*place):
                return place
        return None


def _within(start: int, last: int) -> int:
    """Return the number from 0 to `last` that is nearest to `start`, in steps from there."""
    return min(max(start, start % STEP), last - (last - start) % STEP)


@cache
def _steps() -> list[tuple[int, int]]:
    """Return all steps on the grid, down and right, the shortest first."""
    reach = SIZE // STEP
    steps = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    order = np.argsort((steps**2).sum(axis=1), kind="stable")
    return [(down, right) for down, right in (STEP * steps[order]).tolist()]
