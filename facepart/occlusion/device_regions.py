"""Where parts lie on many label maps at once, as PyTorch operations: :mod:`facepart.occlusion.face_regions`, batched.

All arithmetic is that of the module named, in float64 and in the same order.
"""

from collections.abc import Sequence
from functools import cached_property, reduce

import numpy as np
import torch
from torch import Tensor

from facepart.networks.label_map import NOSE, SIZE
from facepart.occlusion.face_regions import END_OF_NOSE, MOUTH, Zone
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.parts import Part


def part_masks(labels: Tensor, part: Part, landmarks: Sequence[Landmarks | None]) -> Tensor:
    """Return the masks of a single part, bool (n, 512, 512).

    Args:
        labels: uint8 (n, 512, 512), values 0..18.
        part: no union.
        landmarks: of each face; a part that needs them is not found without.
    """
    masks = []
    if part.classes:
        masks.append(torch.isin(labels, torch.tensor(part.classes, dtype=torch.uint8, device=labels.device)))
    if part.zone:
        masks.append(_find(part.zone, labels, landmarks))
    return reduce(torch.logical_and, masks)


def _find(zone: Zone, labels: Tensor, landmarks: Sequence[Landmarks | None]) -> Tensor:
    """Return where a zone lies on each face; see :meth:`facepart.occlusion.face_regions.Zone.find`."""
    if zone.by_landmarks:
        masks = np.stack([zone.by_landmarks(each) for each in landmarks])
        return torch.from_numpy(masks > 0).to(labels.device)
    axes = _Axes(labels)
    return zone.by_axis(axes) & axes.there if zone.by_axis else torch.zeros_like(labels, dtype=torch.bool)


class _Axes:
    """The axes of faces; distances are float64 (n, 512, 512).

    Attributes:
        there: which faces have one, bool (n, 1, 1): those with a nose.
    """

    def __init__(self, labels: Tensor) -> None:
        self._nose = labels == NOSE
        nose, nose_there = _centroids(self._nose)
        first, last = MOUTH
        mouth, mouth_there = _centroids((labels >= first) & (labels <= last))
        straight = torch.tensor([0.0, 1.0], dtype=torch.float64, device=labels.device)
        axis = torch.where(mouth_there[:, None], mouth - nose, straight)
        length = torch.hypot(axis[:, 0], axis[:, 1])[:, None]
        self._x, self._y = torch.where(length > 0, axis / length, straight)[:, :, None, None].unbind(1)
        places = torch.arange(SIZE, dtype=torch.float64, device=labels.device)
        self._rows = (places - nose[:, 1:]).unsqueeze(2)
        self._columns = (places - nose[:, :1]).unsqueeze(1)
        self.there = nose_there[:, None, None]

    @property
    def across(self) -> Tensor:
        return self._columns * self._y - self._rows * self._x

    @cached_property
    def down(self) -> Tensor:
        return self._columns * self._x + self._rows * self._y

    @property
    def end_of_nose(self) -> Tensor:
        """By the quantile as NumPy interpolates it, (n, 1, 1)."""
        ordered = self.down.masked_fill(~self._nose, torch.inf).flatten(1).sort(1).values
        last = (self._nose.sum((1, 2)) - 1).clamp(min=0)
        place = last.double() * END_OF_NOSE
        low = place.floor()
        step = (place - low)[:, None]
        one = ordered.gather(1, low.long()[:, None])
        other = ordered.gather(1, torch.minimum(low.long() + 1, last)[:, None])
        # NumPy starts from the nearer of the two.
        end = torch.where(step < 0.5, one + (other - one) * step, other - (other - one) * (1 - step))
        return end[:, :, None]


def _centroids(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean x and y of each mask's pixels, float64 (n, 2), 0 where it has none, and whether it has any."""
    places = torch.arange(SIZE, device=masks.device)
    count = masks.sum((1, 2))
    sums = torch.stack([(masks.sum(1) * places).sum(1), (masks.sum(2) * places).sum(1)], 1)
    return sums.double() / count.clamp(min=1)[:, None], count > 0
