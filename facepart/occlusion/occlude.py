"""A photo and its label map -> occluded photos; a photo and masks of parts -> the photo with each part occluded."""

from collections.abc import Iterable, Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.errors import UsageError
from facepart.occlusion.average_face import AverageFaces
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.method import AVERAGE, STANDARD, OcclusionMethod
from facepart.occlusion.occlusion import FoundRegion, Occlusion, Region
from facepart.occlusion.parts import find_part
from facepart.occlusion.recipe import box_side, growth, scale_of
from facepart.occlusion.replace import WHOLE, blur_around, inpaint
from facepart.occlusion.soften import Patch, complement, soften_layers

# Photos of more pixels are not blurred as a whole, but only where they are replaced, and only while they are written.
_WHOLE_PIXELS = 50_000_000
# Pixels of these that are replaced at a time; the blur takes a margin around them.
_REPLACED_PIXELS = 1 << 23
# Pixels that are blended at a time.
_BLENDED_PIXELS = 1 << 22


class OccludedPhoto:
    """A photo with an occlusion.

    The photo is made when it is asked for, so that not all occlusions' are in memory; of a large photo, so are the
    new pixels.

    Attributes:
        soft: the soft mask, in the photo's pixels.
        share: the mean of the soft mask over the photo, 0..1: how much of the photo was replaced.
        mask: uint8 (512, 512), 0 or 255: the part, its control region or its patch; empty where there is none. For
            keep-only, the part that is left.
        control: the kind of control region (:mod:`facepart.occlusion.control`); empty where it is not one.
        rows_at_once: how many rows :meth:`bgr` is asked for at least, or the same work would be done again and again.
    """

    def __init__(self, occluder: "_Occluder", soft: Patch, found: FoundRegion) -> None:
        """Take a photo.

        Args:
            occluder: of the photo.
            soft: the soft mask.
            found: the region that it is of.
        """
        self._photo = occluder.photo
        self._occluder = occluder if occluder.is_large else None
        self._blended = None if occluder.is_large else occluder.blended(soft)
        self.soft, self.mask, self.control = soft, found.mask, found.kind
        height, width = occluder.photo.shape[:2]
        self.share = float(soft.values.sum(dtype=np.int64)) / (255 * height * width)
        self.rows_at_once = max(1, _REPLACED_PIXELS // width) if occluder.in_pieces else height

    @property
    def photo(self) -> NDArray[np.uint8]:
        """The occluded photo, uint8 (h, w, 3); the photo itself if nothing changes."""
        if not self.soft.values.size:
            return self._photo
        photo = self._photo.copy()
        for patch, blended in self._pieces(0, len(photo)):
            photo[patch.place] = blended
        return photo

    def bgr(self, top: int = 0, bottom: int | None = None) -> NDArray[np.uint8]:
        """Return rows of the occluded photo with its channels in OpenCV's order, uint8 (rows, w, 3)."""
        rows = _reversed(self._photo[top:bottom])
        for patch, blended in self._pieces(top, top + len(rows)):
            rows[patch.top - top : patch.top - top + len(blended), patch.place[1]] = _reversed(blended)
        return rows

    def _pieces(self, first: int, last: int) -> Iterator[tuple[Patch, NDArray[np.uint8]]]:
        """Yield pieces of the soft mask in rows of the photo, and the new pixels there."""
        soft = self.soft
        start, stop = max(first - soft.top, 0), min(last - soft.top, len(soft.values))
        if start >= stop or not soft.values.size:
            return
        if self._occluder is None:
            assert self._blended is not None  # noqa: S101 - that of a photo that is not large
            yield Patch(soft.top + start, soft.left, soft.values[start:stop]), self._blended[start:stop]
            return
        if not self._occluder.in_pieces:
            blended = self._occluder.blended(soft)[start:stop]
            yield Patch(soft.top + start, soft.left, soft.values[start:stop]), blended
            return
        rows = max(1, _REPLACED_PIXELS // soft.values.shape[1])
        for top in range(start, stop, rows):
            piece = Patch(soft.top + top, soft.left, soft.values[top : min(top + rows, stop)])
            yield piece, self._occluder.blended(piece)


def _reversed(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a photo with its channels in reverse order; one without pixels as it is."""
    return cv2.cvtColor(photo, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False) if photo.size else photo


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
    blended = np.empty_like(photo)
    # The numbers on the way take ten times a photo's memory: of a large one, some rows at a time.
    rows = max(1, _BLENDED_PIXELS // max(photo.shape[1], 1))
    for top in range(0, len(photo), rows):
        strip = slice(top, top + rows)
        blended[strip] = _blend(photo[strip], other[strip], mask[strip])
    return blended


def _blend(photo: NDArray[np.uint8], other: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
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


class _Occluder:
    """Occludes one photo by one method; what the method puts in its place is the same for all parts.

    Attributes:
        photo: uint8 (h, w, 3).
        is_large: whether it has more pixels than are blurred as a whole.
        in_pieces: whether pieces of a place can be replaced one after the other.
    """

    def __init__(
        self, photo: NDArray[np.uint8], method: OcclusionMethod, averages: AverageFaces | None = None
    ) -> None:
        if method.occluder == AVERAGE and averages is None:
            raise UsageError("the average face is that of a study: use facepart study --occlusion average")
        self.photo, self._method, self._averages = photo, method, averages
        self.is_large = photo.shape[0] * photo.shape[1] > _WHOLE_PIXELS
        self.in_pieces = method.occluder != "inpaint"
        self._whole: NDArray[np.uint8] | None = None

    def occlude(self, region: Region, found: FoundRegion) -> OccludedPhoto:
        """Replace the photo where a region was found; for keep-only, where it was not."""
        height, width = self.photo.shape[:2]
        layers = [(mask, growth(dilations, height, width, self._method)) for mask, dilations in found.layers]
        soft = soften_layers(layers, region.sigma * scale_of(height, width), height, width)
        if region.keep_only:
            soft = complement(soft, height, width)
        return OccludedPhoto(self, soft, found)

    def blended(self, soft: Patch) -> NDArray[np.uint8]:
        """Return the new pixels where a soft mask lies, uint8 (rows, columns, 3)."""
        photo, (height, width) = self.photo, self.photo.shape[:2]
        if not soft.values.size:
            return np.empty((*soft.values.shape, 3), np.uint8)
        if self._method.occluder == "inpaint":
            # The patch reaches further than any pixel that has an influence.
            other = inpaint(photo[soft.place], soft.values, scale_of(height, width))
        elif self._averages and self._method.occluder == AVERAGE:
            other = self._averages.of(height, width)[soft.place]
        elif self._method.occluder == "blur" and self.is_large:
            other = blur_around(photo, soft.place, box_side(self._method, height, width))
        else:
            if self._whole is None:
                self._whole = WHOLE[self._method.occluder](photo, box_side(self._method, height, width))
            other = self._whole[soft.place]
        return blend(photo[soft.place], other, soft.values)


def occlude_parts(
    photo: NDArray[np.uint8],
    masks: Mapping[str, NDArray[np.uint8]],
    method: OcclusionMethod = STANDARD,
    *,
    patch: bool = False,
) -> dict[str, OccludedPhoto]:
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
        UsageError: an unknown part, or the average face as the method, which only a study has.
    """
    occluder = _Occluder(photo, method)
    occluded: dict[str, OccludedPhoto] = {}
    for name, mask in masks.items():
        part = find_part(name)
        found = FoundRegion(((mask, 0 if patch else part.dilations),))
        occluded[name] = occluder.occlude(Region(part, patch=patch), found)
    return occluded


def apply_occlusions(
    photo: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    occlusions: Iterable[Occlusion],
    landmarks: Landmarks | None = None,
    averages: AverageFaces | None = None,
) -> dict[Occlusion, OccludedPhoto]:
    """Occlude a photo, once for each occlusion.

    Args:
        photo: uint8 (h, w, 3), RGB.
        labels: its label map, uint8 (512, 512).
        occlusions: which ones; the baseline is not among them.
        landmarks: of the face; parts that need them are not found without.
        averages: the average face of the study, for occlusions by it.

    Raises:
        UsageError: an occlusion is by the average face, which is missing. FacepartError: it is of other sizes.
    """
    occluders: dict[OcclusionMethod, _Occluder] = {}
    occluded: dict[Occlusion, OccludedPhoto] = {}
    for occlusion in occlusions:
        method, region = occlusion.method, occlusion.region
        occluder = occluders.setdefault(method, _Occluder(photo, method, averages))
        occluded[occlusion] = occluder.occlude(region, region.find(labels, method, landmarks))
    return occluded
