"""Photos and label maps on a device -> occluded photos there: :mod:`facepart.occlusion.occlude`, batched in PyTorch.

All steps are dense and of fixed shape, so they run after the parser on its stream, and the host does not wait. They
give what the functions on single photos give, to one grey level: where OpenCV adds in another order, a soft mask can
fall on the other side of a whole number (tests/test_device_occlusion.py says how often). On a CPU they are many times
slower than these.

Every method but inpainting: its fast marching goes from pixel to pixel, and stays on the CPU. The pixels of ``noise``
come from a generator on the host that is seeded by the photo's bytes, and are given; so is the average face.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facepart.errors import UsageError
from facepart.full_float32 import full_float32
from facepart.networks.label_map import SIZE
from facepart.occlusion.device_matrices import MATRICES
from facepart.occlusion.device_regions import part_masks
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import Part
from facepart.occlusion.recipe import box_side, growth, scale_of
from facepart.occlusion.replace import GREY
from facepart.occlusion.soften import ROUNDING

# Methods whose pixels are given.
GIVEN = ("noise", "average")
# Methods that are not done here.
ON_HOST = ("inpaint",)

# Sums of 8-bit values over a box of this side, and their means, are right in float32; over larger ones in float64.
_EXACT_BOX = 99
# Pixels whose soft mask adds up to less than 2^24, so that float32 holds the sum.
_EXACT_PIXELS = 1 << 16


class DeviceOccluded(NamedTuple):
    """Photos with an occlusion.

    Attributes:
        photos: uint8 (n, 3, h, w).
        soft: the soft masks, 0..255, int32 (n, h, w).
        shares: float64 (n,), how much of each photo was replaced, 0..1.
    """

    photos: Tensor
    soft: Tensor
    shares: Tensor


class DeviceOccluder:
    """Occludes photos of one size; holds the matrices of its steps."""

    def __init__(self, height: int, width: int, device: str | torch.device = "cpu") -> None:
        self.height, self.width, self.device = height, width, torch.device(device)
        self._matrices: dict[tuple[str, int, float, torch.dtype], Tensor] = {}

    def occlude(
        self,
        photos: Tensor,
        labels: Tensor,
        landmarks: Sequence[Landmarks | None] = (),
        masks: Mapping[Region, Tensor] | None = None,
        pixels: Mapping[str, Tensor] | None = None,
    ) -> "OccludedBatch":
        """Take a batch of photos.

        Args:
            photos: uint8 (n, 3, h, w), RGB.
            labels: their label maps, uint8 (n, 512, 512).
            landmarks: of each face, for parts that need them.
            masks: region -> bool (n, 512, 512): controls and patches, which are found on the host.
            pixels: occluder of :data:`GIVEN` -> uint8 (n, 3, h, w) or (3, h, w).
        """
        return OccludedBatch(self, photos, labels, landmarks or [None] * len(photos), masks or {}, pixels or {})

    def matrix(self, kind: str, size: int, other: float, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return a matrix of :data:`facepart.occlusion.device_matrices.MATRICES` on the device; made once."""
        key = kind, size, other, dtype
        if key not in self._matrices:
            self._matrices[key] = torch.from_numpy(MATRICES[kind](size, other)).to(self.device, dtype)
        return self._matrices[key]


class OccludedBatch:
    """A batch of photos that is occluded one occlusion after the other; what several of them share is kept."""

    def __init__(
        self,
        occluder: DeviceOccluder,
        photos: Tensor,
        labels: Tensor,
        landmarks: Sequence[Landmarks | None],
        masks: Mapping[Region, Tensor],
        pixels: Mapping[str, Tensor],
    ) -> None:
        self._by, self._photos, self._labels, self._landmarks = occluder, photos, labels, landmarks
        self._given, self._pixels = masks, pixels
        self._masks: dict[Part, Tensor] = {}
        self._fitted: dict[Part | Region, Tensor] = {}
        self._softs: dict[tuple[Region, float], Tensor] = {}
        self._replacements: dict[OcclusionMethod, Tensor] = {}

    def part_mask(self, part: Part) -> Tensor:
        """Return the masks of a part, bool (n, 512, 512)."""
        if part not in self._masks:
            if part.members:
                found = torch.stack([self.part_mask(each) for each in part.members]).any(0)
            else:
                found = part_masks(self._labels, part, self._landmarks)
            self._masks[part] = found
        return self._masks[part]

    def occlude(self, occlusion: Occlusion) -> DeviceOccluded:
        """Occlude the photos.

        Raises:
            UsageError: by inpainting.
        """
        with full_float32():
            soft = self._soft(occlusion.region, occlusion.method)
            if occlusion.region.keep_only:
                found = soft.flatten(1).any(1)[:, None, None]
                soft = torch.where(found, 255 - soft, 0)
            photos = self._photos.to(torch.int32)
            change = self._replacement(occlusion.method).to(torch.int32) - photos
            blended = torch.div(255 * photos + soft[:, None] * change, 255, rounding_mode="floor")
            shares = soft.sum((1, 2)).double() / (255 * soft[0].numel())
            return DeviceOccluded(blended.to(torch.uint8), soft, shares)

    def removed(self, softs: Sequence[Tensor], parts: Sequence[Part]) -> Tensor:
        """Return which share of every part is removed; see :func:`facepart.occlusion.overlap.removed_shares`.

        Args:
            softs: soft masks of :meth:`occlude`.
            parts: the parts.

        Returns:
            float32 (n, softs, parts), 0..1; NaN where the part is not on the photo.
        """
        rows, columns = (_nearest(SIZE, new).to(self._by.device) for new in (self._by.height, self._by.width))
        masks = torch.stack([self.part_mask(each)[:, rows][:, :, columns] for each in parts], 1).flatten(2)
        weights = torch.stack(list(softs), 1).flatten(2)
        removed = torch.zeros(len(masks), weights.shape[1], len(parts), dtype=torch.float64, device=masks.device)
        with full_float32():
            for first in range(0, masks.shape[2], _EXACT_PIXELS):
                some = slice(first, first + _EXACT_PIXELS)
                removed += (weights[:, :, some].float() @ masks[:, :, some].float().transpose(1, 2)).double()
        return (removed / (255 * masks.sum(2))[:, None]).float()

    def _soft(self, region: Region, method: OcclusionMethod) -> Tensor:
        """Return the soft masks of a region, int32 (n, h, w); of keep-only, those of the part."""
        part = region.part
        key = Region(part, region.draw, region.patch), method.dilation
        if key not in self._softs:
            by = self._by
            sigma = region.sigma * scale_of(by.height, by.width)
            if part is None:
                grown = torch.zeros(len(self._photos), by.height, by.width, device=by.device)
            elif region.draw or region.patch:
                dilations = 0 if region.patch else part.dilations
                grown = self._grow(self._fit(key[0], self._given[key[0]]), dilations, method)
            else:
                layers = [
                    self._grow(self._fit(each, self.part_mask(each)), each.dilations, method)
                    for each in part.single_parts
                ]
                grown = layers[0] if len(layers) == 1 else torch.stack(layers).amax(0)
            # Along the columns, then along the rows, the fraction dropped each time.
            filtered = (by.matrix("gaussian", by.height, sigma) @ grown).add_(ROUNDING).floor_()
            filtered = (filtered @ by.matrix("gaussian", by.width, sigma).T).add_(ROUNDING).floor_()
            self._softs[key] = filtered.to(torch.int32)
        return self._softs[key]

    def _fit(self, key: Part | Region, masks: Tensor) -> Tensor:
        """Resize masks to the photos' size: whole numbers 0..255, float32 (n, h, w)."""
        if key not in self._fitted:
            height, width = self._by.height, self._by.width
            fitted = 255 * masks.float()
            if (height, width) != (SIZE, SIZE):
                kind = "area" if height <= SIZE and width <= SIZE else "linear"
                rows, columns = self._by.matrix(kind, SIZE, height), self._by.matrix(kind, SIZE, width)
                fitted = (rows @ fitted @ columns.T).round_()
            self._fitted[key] = fitted
        return self._fitted[key]

    def _grow(self, masks: Tensor, dilations: int, method: OcclusionMethod) -> Tensor:
        radius = growth(dilations, self._by.height, self._by.width, method)
        if not radius:
            return masks
        side = 2 * radius + 1
        down = functional.max_pool2d(masks, (side, 1), 1, (radius, 0))
        return functional.max_pool2d(down, (1, side), 1, (0, radius))

    def _replacement(self, method: OcclusionMethod) -> Tensor:
        """Return what takes the photos' place, uint8, to be broadcast to (n, 3, h, w)."""
        if method not in self._replacements:
            self._replacements[method] = self._replace(method)
        return self._replacements[method]

    def _replace(self, method: OcclusionMethod) -> Tensor:
        photos, by = self._photos, self._by
        if method.occluder in GIVEN:
            return self._pixels[method.occluder]
        if method.occluder == "grey":
            return torch.full((1, 3, 1, 1), GREY, dtype=torch.uint8, device=by.device)
        if method.occluder == "mean":
            sums = photos.sum((2, 3), keepdim=True)
            return _rounded_mean(sums, photos[0, 0].numel())
        if method.occluder not in ("blur", "pixelate"):
            raise UsageError(f"{method.occluder} is done on the CPU")
        box = box_side(method, by.height, by.width)
        dtype = torch.float32 if box <= _EXACT_BOX else torch.float64
        kind = "box" if method.occluder == "blur" else "block"
        rows, columns = by.matrix(kind, by.height, box, dtype), by.matrix(kind, by.width, box, dtype)
        sums = rows @ photos.to(dtype) @ columns.T
        if method.occluder == "blur":
            # No mean lies half way: the number of pixels is odd.
            return (sums / box**2).round_().to(torch.uint8)
        counts = rows.sum(1)[:, None] * columns.sum(1)[None]
        blocks = _rounded_mean(sums.long(), counts.long())
        down, across = (torch.arange(size, device=by.device) // box for size in (by.height, by.width))
        return blocks[:, :, down][:, :, :, across]


def fit_photos(photos: Tensor, height: int, width: int, occluder: DeviceOccluder) -> Tensor:
    """Resize photos to a parser's input, as :func:`facepart.networks.face_parser.fit_photo` does.

    Args:
        photos: uint8 (n, 3, h, w).
        height: rows of the input.
        width: columns.
        occluder: holds the matrices.

    Returns:
        uint8 (n, 3, height, width).
    """
    old_height, old_width = photos.shape[2:]
    with full_float32():
        fitted = photos
        # First along the rows, as Pillow does, each time to 8 bits; an axis that stays is left alone.
        if old_width != width:
            columns = occluder.matrix("triangle", old_width, width)
            fitted = (fitted.float() @ columns.T).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)
        if old_height != height:
            rows = occluder.matrix("triangle", old_height, height)
            fitted = (rows @ fitted.float()).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)
        return fitted


def resize_photos(photos: Tensor, height: int, width: int, occluder: DeviceOccluder) -> Tensor:
    """Resize photos, uint8 (n, 3, h, w), as :func:`facepart.data.resize.resize` does, to one grey level."""
    old_height, old_width = photos.shape[2:]
    if (old_height, old_width) == (height, width):
        return photos
    with full_float32():
        if (old_height, old_width) == (2 * height, 2 * width):
            # Of four pixels a half is rounded up there.
            return functional.avg_pool2d(photos.float(), 2).add_(0.5).floor_().to(torch.uint8)
        kind = "area" if height <= old_height and width <= old_width else "linear"
        rows, columns = occluder.matrix(kind, old_height, height), occluder.matrix(kind, old_width, width)
        return (rows @ photos.float() @ columns.T).round_().clamp_(0, 255).to(torch.uint8)


def _nearest(old: int, new: int) -> Tensor:
    """Return which pixel of an axis each of `new` ones takes; OpenCV says it, whose rounding differs by release."""
    numbers = np.arange(old, dtype=np.uint16)[:, None]
    return torch.from_numpy(
        cv2.resize(numbers, (1, new), interpolation=cv2.INTER_NEAREST_EXACT).ravel().astype(np.int64)
    )


def _rounded_mean(sums: Tensor, counts: Tensor | int) -> Tensor:
    """Divide whole numbers; a half is rounded up."""
    return torch.div(2 * sums + counts, 2 * counts, rounding_mode="floor").to(torch.uint8)
