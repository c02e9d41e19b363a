"""Regions of a face that no class of the label map stands for: a side, below the nose, around the eyes.

**Sides.** The parser confuses left and right: on 631 photos of LFW's Caucasian men, 28 % of the eyes' pixels have the
class of the other eye, by YuNet's landmarks (benchmarks/parts_found.py). So a side is that of the face's axis, which
runs through the centroids of the nose and of the mouth; where no mouth is seen, it runs straight down from the nose.
By this rule 0.09 % of the pixels are on the wrong side. Left is the person's left, on the right of the
photo, as in CelebAMask-HQ. Where no nose is seen, nothing lies on either side.

**Below the nose** is what lies further down the same axis than 98 % of the nose.

**Around the eyes** is what lies within 14 % of the side of ArcFace's crop from either eye landmark: 0.45 of the
distance between the eyes of its template. All five landmarks set the scale, so that it does not shrink on a face that
is turned away.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.networks.alignment import crop_side
from facepart.networks.label_map import NOSE, SIZE
from facepart.occlusion.landmarks import Landmarks

# The first and the last of the mouth's classes of the label map.
MOUTH = (11, 13)
# Of the nose's pixels; those of another, smaller face in the photo must not set where the nose ends.
END_OF_NOSE = 0.98
# As a share of the side of ArcFace's crop.
PERIOCULAR_RADIUS = 0.14


class _Axis(NamedTuple):
    """The axis of a face: the nose's centroid, x and y, and a direction of length 1, down the face."""

    nose: NDArray[np.float64]
    down: NDArray[np.float64]


def side_mask(labels: NDArray[np.uint8], side: str) -> NDArray[np.uint8]:
    """Return one side of a face.

    Args:
        labels: uint8 (h, w), values 0..18.
        side: ``left`` or ``right``, of the person.

    Returns:
        uint8 (h, w): 255 on that side, else 0; the axis itself belongs to the right side. All 0 without a nose.
    """
    axis = _find_axis(labels)
    if axis is None:
        return np.zeros_like(labels)
    rows, columns = _offsets(labels.shape, axis)
    left = columns * axis.down[1] - rows * axis.down[0] > 0
    return (left == (side == "left")) * np.uint8(255)


def below_nose(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what lies below the nose, uint8 (h, w): 255 there, else 0; all 0 without a nose.

    Args:
        labels: uint8 (h, w), values 0..18.
    """
    axis = _find_axis(labels)
    if axis is None:
        return np.zeros_like(labels)
    rows, columns = _offsets(labels.shape, axis)
    down = columns * axis.down[0] + rows * axis.down[1]
    return (down > np.quantile(down[labels == NOSE], END_OF_NOSE)) * np.uint8(255)


def around_eyes(landmarks: Landmarks | None) -> NDArray[np.uint8]:
    """Return what lies around the eyes, uint8 (512, 512): 255 there, else 0.

    All 0 without landmarks, or if they are all the same point.
    """
    found = np.zeros((SIZE, SIZE), np.uint8)
    if landmarks is None:
        return found
    try:
        radius = PERIOCULAR_RADIUS * crop_side(landmarks.points)
    except FacepartError:
        return found
    # Distances are those on the photo, whose proportions the label map does not keep.
    rows = ((np.arange(SIZE) + 0.5) * (landmarks.height / SIZE) - 0.5)[:, None]
    columns = ((np.arange(SIZE) + 0.5) * (landmarks.width / SIZE) - 0.5)[None, :]
    for x, y in landmarks.points[:2].astype(np.float64):
        found[(columns - x) ** 2 + (rows - y) ** 2 <= radius**2] = 255
    return found


def _find_axis(labels: NDArray[np.uint8]) -> _Axis | None:
    """Find the axis of a face; None without a nose."""
    nose, mouth = _centroid(labels, NOSE, NOSE), _centroid(labels, *MOUTH)
    if nose is None:
        return None
    down = np.array([0.0, 1.0]) if mouth is None else mouth - nose
    length = float(np.hypot(*down))
    return _Axis(nose, down / length if length else np.array([0.0, 1.0]))


def _centroid(labels: NDArray[np.uint8], first: int, last: int) -> NDArray[np.float64] | None:
    """Return the mean x and y of the pixels of classes from `first` to `last`; None if there are none."""
    moments = cv2.moments(cv2.inRange(labels, first, last), binaryImage=True)
    count = moments["m00"]
    return np.array([moments["m10"] / count, moments["m01"] / count]) if count else None


def _offsets(shape: tuple[int, ...], axis: _Axis) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each row and column lies from the nose's centroid, (h, 1) and (1, w)."""
    return (np.arange(shape[0]) - axis.nose[1])[:, None], (np.arange(shape[1]) - axis.nose[0])[None, :]
