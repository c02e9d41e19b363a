"""A photo and its label map -> occluded photos; a photo and masks of parts -> the photo with each part occluded."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.occlusion import Occlusion
from facepart.occlusion.parts import find_part
from facepart.occlusion.recipe import PATCH_SIGMA, SIGMA, box_side, growth, recipe, scale_of
from facepart.occlusion.replace import WHOLE, inpaint
from facepart.occlusion.soften import Patch, complement, soft_patch, soften_layers


class Occluded(NamedTuple):
    """A photo with a part occluded.

    Attributes:
        photo: uint8 (h, w, 3).
        share: the mean of the soft mask over the photo, 0..1: how much of the photo was replaced.
        soft: the soft mask, in the photo's pixels.
    """

    photo: NDArray[np.uint8]
    share: float
    soft: Patch


def blend(photo: NDArray[np.uint8], other: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Replace a photo by another where the mask says so: ``(mask * other + (255 - mask) * photo) / 255``.

    The fraction is dropped, as in the original, which computes this in floating point; in whole numbers it is exact.

    Args:
        photo: uint8 (h, w, 3).
        other: uint8 (h, w, 3).
        mask: uint8 (h, w).

    Returns:
        uint8 (h, w, 3).
    """
    share = cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)
    # 255 * photo + mask * (other - photo) + 1, in whole numbers of 16 bits, modulo 65536: the end result is at most
    # 255 * 255 + 1, so it is right though numbers on the way are not.
    total = np.subtract(other, photo, dtype=np.uint16)
    total *= share
    carry = photo.astype(np.uint16)
    carry *= 255
    carry += 1
    total += carry
    # Division by 255 that drops the fraction: exact for all these numbers, and far faster than //.
    np.right_shift(total, 8, out=carry)
    total += carry
    total >>= 8
    return total.astype(np.uint8)


def occlude_parts(
    photo: NDArray[np.uint8],
    masks: Mapping[str, NDArray[np.uint8]],
    method: OcclusionMethod = STANDARD,
    *,
    patch: bool = False,
) -> dict[str, Occluded]:
    """Occlude each part of a photo, one at a time.

    Args:
        photo: uint8 (h, w, 3), any channel order.
        masks: name of a built-in part, which says how far it grows -> its mask, uint8 (512, 512), 0 or 255. An empty
            mask leaves the photo as it is.
        method: how.
        patch: whether the masks are equal-area patches.

    Returns:
        Part -> the photo with that part occluded.

    Raises:
        UsageError: an unknown part.
    """
    height, width = photo.shape[:2]
    occluder = _Occluder(photo, method)
    results: dict[str, Occluded] = {}
    for part, mask in masks.items():
        constants = recipe(find_part(part), height, width, method, patch=patch)
        results[part] = occluder.occlude(soft_patch(mask, constants, height, width))
    return results


class _Occluder:
    """Occludes one photo by one method; what the method puts in its place is the same for all parts."""

    def __init__(self, photo: NDArray[np.uint8], method: OcclusionMethod) -> None:
        self._photo, self._method = photo, method
        self._whole: NDArray[np.uint8] | None = None

    def occlude(self, soft: Patch) -> Occluded:
        """Replace the photo where a soft mask says so."""
        photo, (height, width) = self._photo, self._photo.shape[:2]
        if not soft.values.size:
            return Occluded(photo, 0.0, soft)
        if self._method.occluder == "inpaint":
            # The patch reaches further than any pixel that has an influence.
            other = inpaint(photo[soft.place], soft.values, scale_of(height, width))
        else:
            if self._whole is None:
                self._whole = WHOLE[self._method.occluder](photo, box_side(self._method, height, width))
            other = self._whole[soft.place]
        occluded = photo.copy()
        occluded[soft.place] = blend(photo[soft.place], other, soft.values)
        share = float(soft.values.sum(dtype=np.int64)) / (255 * height * width)
        return Occluded(occluded, share, soft)


class OccludedPhoto(NamedTuple):
    """A photo with an occlusion.

    Attributes:
        photo: uint8 (h, w, 3), RGB.
        mask: uint8 (512, 512), 0 or 255: the part, its control region or its patch; empty where there is none. For
            keep-only, the part that is left.
        share: how much of the photo was replaced, 0..1.
        control: the kind of control region (:mod:`facepart.occlusion.control`); empty where it is not one.
        soft: the soft mask, in the photo's pixels.
    """

    photo: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    share: float
    control: str
    soft: Patch


def apply_occlusions(
    photo: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    occlusions: Iterable[Occlusion],
    landmarks: Landmarks | None = None,
) -> dict[Occlusion, OccludedPhoto]:
    """Occlude a photo, once for each occlusion.

    Args:
        photo: uint8 (h, w, 3), RGB.
        labels: its label map, uint8 (512, 512).
        occlusions: which ones; the baseline is not among them.
        landmarks: of the face; parts that need them are not found without.
    """
    height, width = photo.shape[:2]
    occluders: dict[OcclusionMethod, _Occluder] = {}
    occluded: dict[Occlusion, OccludedPhoto] = {}
    for occlusion in occlusions:
        method = occlusion.method
        found = occlusion.region.find(labels, method, landmarks)
        layers = [(mask, growth(dilations, height, width, method)) for mask, dilations in found.layers]
        sigma = (PATCH_SIGMA if occlusion.region.patch else SIGMA) * scale_of(height, width)
        occluder = occluders.setdefault(method, _Occluder(photo, method))
        soft = soften_layers(layers, sigma, height, width)
        if occlusion.region.keep_only:
            soft = complement(soft, height, width)
        result = occluder.occlude(soft)
        occluded[occlusion] = OccludedPhoto(result.photo, found.mask, result.share, found.kind, result.soft)
    return occluded
