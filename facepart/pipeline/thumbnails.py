"""Small images of a photo and its occlusions, for the report."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.data.resize import resize
from facepart.occlusion.occlude import OccludedPhoto
from facepart.occlusion.occlusion import Occlusion

# Pixels on a side.
THUMBNAIL = 160


class Thumbnails(NamedTuple):
    """A photo in the report's size.

    Attributes:
        photo: uint8 (160, 160, 3), RGB.
        occluded: occlusion -> the photo with it, likewise.
        masks: occlusion -> uint8 (160, 160), 0..255: how much of each pixel belongs to the occluded region.
    """

    photo: NDArray[np.uint8]
    occluded: dict[Occlusion, NDArray[np.uint8]]
    masks: dict[Occlusion, NDArray[np.uint8]]


def take_thumbnails(
    face: NDArray[np.uint8], occluded: Mapping[Occlusion, OccludedPhoto], shown: Sequence[Occlusion]
) -> Thumbnails:
    """Shrink a photo, uint8 (h, w, 3), and the occlusions that are shown."""
    return Thumbnails(
        resize(face, THUMBNAIL, THUMBNAIL),
        {each: resize(occluded[each].photo, THUMBNAIL, THUMBNAIL) for each in shown},
        {each: _shrink(occluded[each].mask) for each in shown},
    )


def _shrink(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(mask, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
