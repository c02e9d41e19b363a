"""The size control: as many pixels as a part has, occluded elsewhere on the face.

A part may seem important only because it is large. Its control takes away the same shape at a random place of the
face where the part is not; what the part moves beyond its control is then its own. A control is a mask like a part's,
and :func:`facepart.occlusion.occlude.occlude_parts` softens and occludes it in the same way.

The possible places are found all at once, as a correlation of the shape with the face, on a grid of 4 pixels of the
label map: less than 2 pixels of a photo of 224x224.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.networks.label_map import SIZE
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.parts import HEAD, class_mask, part_mask
from facepart.occlusion.recipe import recipe

MOVED, BLOBS = "moved", "blobs"

# To be raised whenever a seed comes to give another mask, so that controls of both kinds are never mixed.
VERSION = 1

# Side of a cell of the grid, in pixels of the label map.
_CELL = 4
_CELLS = SIZE // _CELL

# How much of a moved shape must lie on the face, at least; and a little more, for rounding on the grid.
_INSIDE = 0.98

# How many random angles are tried.
_TURNS = 4

# Blobs are drawn at random only where there is this much more room than they take.
_ROOM = 1.25

# How near to the wanted number of pixels the search for blobs comes, as a share of the part's.
_PRECISION = 0.01

# Standard deviation of the Gaussian that makes blobs of white noise, in times the square root of their pixels: blobs
# that look the same on a face of any size, as large as the features of a face.
_BLOB_SIGMA = 0.15


class Control(NamedTuple):
    """The mask of a control.

    Attributes:
        mask: uint8 (512, 512), 0 or 255; all 0 where the part is not on the photo.
        kind: :data:`MOVED`, :data:`BLOBS`, or empty where there is no part.
    """

    mask: NDArray[np.uint8]
    kind: str


def control_mask(
    labels: NDArray[np.uint8], part: str, seed: Sequence[int] | int, method: OcclusionMethod = STANDARD
) -> Control:
    """Draw a control for a part of a face.

    The part's shape is moved to a place drawn uniformly from all where at least 97 % of it lies on the face and none
    of it, once grown as the part's mask is, covers the part. The face is the head without hair (a nose moved into
    the hair would be a poor control), for the part ``hair`` all of the head. Where no such place is, the mirrored
    shape is tried, then the shape turned by random angles.

    Where nothing fits, as for skin, and mostly for hair, the control is smooth blobs that take as many pixels as the
    part once both are grown (blobs have longer borders, and so grow more). They lie on the face without the part.
    Where that has no room to choose from, as for skin, they are drawn out of the whole head, with its hair, and then
    cover some of the part itself. (Without the part, hair is nearly all that is left of a head without its skin: as
    poor a control as for the nose.)

    Args:
        labels: a label map, uint8 (512, 512).
        part: a key of :data:`facepart.occlusion.parts.PARTS`.
        seed: of the draw: numbers from 0 on, of the study, the photo, the part and the draw. The same seed gives the
            same mask; nothing else is random.
        method: how the region is occluded; its dilation matters here.

    Returns:
        The control. A moved shape has as many pixels as the part, turned ones too; blobs have as many where masks do
        not grow.
    """
    mask = part_mask(labels, part)
    pixels = cv2.countNonZero(mask)
    if not pixels:
        return Control(mask, "")
    rng = np.random.default_rng(seed)
    growth = recipe(part, SIZE, SIZE, method).dilation
    head = class_mask(labels, HEAD)
    face = head if part == "hair" else head - part_mask(labels, "hair")
    left, top, columns, rows = (_CELL * number for number in cv2.boundingRect(_cells(mask)))
    shape = mask[top : top + rows, left : left + columns]
    values = _cells(face).astype(np.float32) / np.float32(255)
    # Two pixels that are no further apart than `growth` lie in cells no further apart than this.
    near = _grow(_cells(mask), -(-growth // _CELL)) > 0
    roomy = values[~near].sum(dtype=np.float64) * _CELL**2 >= _INSIDE * pixels
    for turned in _turns(shape, rng) if roomy else ():
        places = _places(turned, values, near)
        if len(places):
            row, column = _CELL * places[rng.integers(len(places))]
            moved = np.zeros_like(mask)
            moved[row : row + turned.shape[0], column : column + turned.shape[1]] = turned
            return Control(moved, MOVED)
    away = (face > 0) & (_grow(mask, growth) == 0)
    field = _blob_field(pixels, rng)
    wanted = cv2.countNonZero(_grow(mask, growth))
    if np.count_nonzero(away) >= _ROOM * pixels:
        blobs = _blobs(field, away, growth, wanted)
        if np.count_nonzero(away) >= _ROOM * cv2.countNonZero(blobs):
            return Control(blobs, BLOBS)
    return Control(_blobs(field, head > 0, growth, wanted), BLOBS)


def _turns(shape: NDArray[np.uint8], rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Yield a shape, its mirror image, and the shape turned by random angles; sides are multiples of a cell."""
    yield shape
    yield np.ascontiguousarray(shape[:, ::-1])
    pixels = cv2.countNonZero(shape)
    rows, columns = shape.shape
    side = int(np.hypot(rows, columns)) + 3
    for angle in rng.uniform(0, 360, _TURNS):
        turn = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), float(angle), 1.0)
        turn[:, 2] += (side - columns) / 2, (side - rows) / 2
        soft = cv2.warpAffine(shape, turn, (side, side), flags=cv2.INTER_LINEAR)
        # Just as many pixels as the shape has: those that it covers most.
        turned = _largest(soft.ravel(), pixels).reshape(side, side).astype(np.uint8) * np.uint8(255)
        left, top, width, height = cv2.boundingRect(turned)
        yield np.pad(turned[top : top + height, left : left + width], ((0, -height % _CELL), (0, -width % _CELL)))


def _places(shape: NDArray[np.uint8], values: NDArray[np.float32], near: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find all cells at which a shape's top left corner may lie.

    Args:
        shape: uint8 (rows, columns), multiples of a cell.
        values: float32 (cells, cells): how much of each cell is face, 0..1.
        near: bool (cells, cells): where no part of the shape may come.

    Returns:
        int64 (places, 2): row and column.
    """
    rows, columns = shape.shape[0] // _CELL, shape.shape[1] // _CELL
    if max(rows, columns) > _CELLS:
        return np.empty((0, 2), np.int64)
    template = cv2.resize(shape, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    total = float(template.sum(dtype=np.float64))
    # One pixel in a cell that is near outweighs all that may lie off the face. Not by far: the correlation is rounded
    # in proportion to the largest values, and no place of a large shape would be found among larger ones.
    weight = 2 * (1 - _INSIDE) * total / float(template[template > 0].min())
    values = np.where(near, np.float32(-weight), values)
    inside = cv2.matchTemplate(values, template, cv2.TM_CCORR)
    return np.argwhere(inside >= _INSIDE * total)


def _blob_field(pixels: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth white noise, float32 (512, 512), so that where it is highest lie blobs fit for so many pixels."""
    noise = rng.standard_normal((_CELLS, _CELLS), dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), max(_BLOB_SIGMA * pixels**0.5 / _CELL, 1.0))
    return cv2.resize(smooth, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False)


def _blobs(field: NDArray[np.float32], region: NDArray[np.bool_], growth: int, wanted: int) -> NDArray[np.uint8]:
    """Choose the pixels of a region where a field is highest: as many as become `wanted` once the mask has grown."""
    values, room = field[region], int(np.count_nonzero(region))

    def choose(count: int) -> NDArray[np.uint8]:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        mask[region] = np.where(_largest(values, count), 255, 0)
        return mask

    if not growth:
        return choose(min(wanted, room))
    # More pixels never grow to fewer, so that halving the range finds the number.
    fewest, most = 1, min(wanted, room)
    while most - fewest > _PRECISION * wanted:
        middle = (fewest + most) // 2
        if cv2.countNonZero(_grow(choose(middle), growth)) < wanted:
            fewest = middle
        else:
            most = middle
    return choose(most)


def _largest(values: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Tell which are the `count` largest of a row of values; of equal ones, the first."""
    least = np.partition(values, len(values) - count)[len(values) - count]
    chosen = values > least
    equal = np.flatnonzero(values == least)
    chosen[equal[: count - np.count_nonzero(chosen)]] = True
    return chosen


def _cells(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mean of each cell; above 0 where a single pixel is."""
    return cv2.resize(mask, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _grow(mask: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    square = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask, square).astype(np.uint8, copy=False)
