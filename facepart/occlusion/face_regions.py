"""Zones of a face that no class of the label map stands for: a side, below the nose, around the eyes.

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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.networks.label_map import NOSE, SIZE
from facepart.occlusion.landmarks import Landmarks

# OpenCV, and what loads it, are imported where they are used: every command reads the table for its help, and OpenCV
# takes as long to load as all the rest.

# The first and the last of the mouth's classes of the label map.
MOUTH = (11, 13)
# Of the nose's pixels; those of another, smaller face in the photo must not set where the nose ends.
END_OF_NOSE = 0.98
# As a share of the side of ArcFace's crop.
PERIOCULAR_RADIUS = 0.14


class FaceAxis(Protocol):
    """Where pixels lie along the axis of their face: arrays of one face, or tensors of many."""

    @property
    def across(self) -> Any:
        """How far each pixel lies from the axis, to the left of the person."""

    @property
    def down(self) -> Any:
        """How far each pixel lies down the axis, from the nose's centroid."""

    @property
    def end_of_nose(self) -> Any:
        """How far down the axis 98 % of the nose lie."""


@dataclass(frozen=True)
class Zone:
    """A zone of the face, found by its axis or by landmarks.

    Attributes:
        words: how a list of classes goes on that lie in it.
        by_axis: the axis -> which pixels are in the zone; None if landmarks tell it.
        by_landmarks: the landmarks -> uint8 (512, 512): 255 in the zone, else 0; None if the axis tells it.
        opposite: the key in :data:`ZONES` of the zone on the other side of the face; None if it is on no side.
        version: to be raised whenever the zone comes to have other pixels.
    """

    words: str
    by_axis: Callable[[FaceAxis], Any] | None = None
    by_landmarks: Callable[[Landmarks | None], NDArray[np.uint8]] | None = None
    opposite: str | None = None
    version: int = 1

    def find(self, labels: NDArray[np.uint8], landmarks: Landmarks | None = None) -> NDArray[np.uint8]:
        """Return where the zone lies on a face.

        Args:
            labels: uint8 (512, 512), values 0..18.
            landmarks: of the face.

        Returns:
            uint8 (512, 512): 255 in the zone, else 0; all 0 without the nose or the landmarks that it needs.
        """
        if self.by_landmarks:
            return self.by_landmarks(landmarks)
        axis = _find_axis(labels)
        if axis is None or not self.by_axis:
            return np.zeros_like(labels)
        return self.by_axis(axis) * np.uint8(255)


def around_eyes(landmarks: Landmarks | None) -> NDArray[np.uint8]:
    """Return what lies around the eyes, uint8 (512, 512): 255 there, else 0.

    All 0 without landmarks, or if they are all the same point.
    """
    from facepart.networks.alignment import crop_side

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


# Name of a zone -> the zone; the names stand in recipes of what was computed, and in files of parts of one's own.
ZONES: Mapping[str, Zone] = {
    "left side": Zone("on the left side of the face", by_axis=lambda axis: axis.across > 0, opposite="right side"),
    # The axis itself belongs to this side.
    "right side": Zone("on the right side of the face", by_axis=lambda axis: axis.across <= 0, opposite="left side"),
    "below the nose": Zone("below the nose", by_axis=lambda axis: axis.down > axis.end_of_nose),
    "around the eyes": Zone("around the eyes, located from the face landmarks", by_landmarks=around_eyes),
}


class _Axis:
    """The axis of the face on a label map: from the nose's centroid in a direction of length 1, both x and y."""

    def __init__(self, labels: NDArray[np.uint8], nose: NDArray[np.float64], direction: NDArray[np.float64]) -> None:
        self._labels, self._direction = labels, direction
        self._rows = (np.arange(labels.shape[0]) - nose[1])[:, None]
        self._columns = (np.arange(labels.shape[1]) - nose[0])[None, :]

    @cached_property
    def across(self) -> NDArray[np.float64]:
        return self._columns * self._direction[1] - self._rows * self._direction[0]

    @cached_property
    def down(self) -> NDArray[np.float64]:
        return self._columns * self._direction[0] + self._rows * self._direction[1]

    @property
    def end_of_nose(self) -> np.float64:
        return np.quantile(self.down[self._labels == NOSE], END_OF_NOSE)


def _find_axis(labels: NDArray[np.uint8]) -> _Axis | None:
    """Find the axis of a face; None without a nose."""
    nose, mouth = _centroid(labels, NOSE, NOSE), _centroid(labels, *MOUTH)
    if nose is None:
        return None
    down = np.array([0.0, 1.0]) if mouth is None else mouth - nose
    length = float(np.hypot(*down))
    return _Axis(labels, nose, down / length if length else np.array([0.0, 1.0]))


def _centroid(labels: NDArray[np.uint8], first: int, last: int) -> NDArray[np.float64] | None:
    """Return the mean x and y of the pixels of classes from `first` to `last`; None if there are none."""
    import cv2

    moments = cv2.moments(cv2.inRange(labels, first, last), binaryImage=True)
    count = moments["m00"]
    return np.array([moments["m10"] / count, moments["m01"] / count]) if count else None
