"""Where parts lie on many label maps at once, as PyTorch operations: :mod:`facepart.occlusion.face_regions`, batched.

All arithmetic is that of the module named, in float64 and in the same order.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from facepart.networks.label_map import NOSE, SIZE
from facepart.occlusion import face_regions
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.parts import Part


def part_masks(labels: Tensor, part: Part, landmarks: Sequence[Landmarks | None]) -> Tensor:
    """Return the masks of a single part, bool (n, 512, 512).

    Args:
        labels: uint8 (n, 512, 512), values 0..18.
        part: no union.
        landmarks: of each face; a part that needs them is not found without.
    """
    if part.where == "around the eyes":
        masks = np.stack([face_regions.around_eyes(each) for each in landmarks])
        return torch.from_numpy(masks > 0).to(labels.device)
    mask = torch.isin(labels, torch.tensor(part.classes, dtype=torch.uint8, device=labels.device))
    if not part.where:
        return mask
    there, across, down = _from_the_nose(labels)
    if part.where == "below the nose":
        return mask & _below(down, labels == NOSE) & there
    left = across > 0
    return mask & (left if part.where == "left side" else ~left) & there


def _from_the_nose(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return which faces have a nose, (n, 1, 1), and how far each pixel lies from the nose's centroid.

    Returns:
        The distances, float64 (n, 512, 512), are across the axis of the face, to the left of the person, and down it.
    """
    nose, nose_there = _centroids(labels == NOSE)
    first, last = face_regions.MOUTH
    mouth, mouth_there = _centroids((labels >= first) & (labels <= last))
    straight = torch.tensor([0.0, 1.0], dtype=torch.float64, device=labels.device)
    axis = torch.where(mouth_there[:, None], mouth - nose, straight)
    length = torch.hypot(axis[:, 0], axis[:, 1])[:, None]
    x, y = torch.where(length > 0, axis / length, straight)[:, :, None, None].unbind(1)
    places = torch.arange(SIZE, dtype=torch.float64, device=labels.device)
    rows = (places - nose[:, 1:]).unsqueeze(2)
    columns = (places - nose[:, :1]).unsqueeze(1)
    return nose_there[:, None, None], columns * y - rows * x, columns * x + rows * y


def _centroids(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean x and y of each mask's pixels, float64 (n, 2), 0 where it has none, and whether it has any."""
    places = torch.arange(SIZE, device=masks.device)
    count = masks.sum((1, 2))
    sums = torch.stack([(masks.sum(1) * places).sum(1), (masks.sum(2) * places).sum(1)], 1)
    return sums.double() / count.clamp(min=1)[:, None], count > 0


def _below(down: Tensor, nose: Tensor) -> Tensor:
    """Return what lies further down than most of the nose, by the quantile as NumPy interpolates it."""
    ordered = down.masked_fill(~nose, torch.inf).flatten(1).sort(1).values
    last = (nose.sum((1, 2)) - 1).clamp(min=0)
    place = last.double() * face_regions.END_OF_NOSE
    low = place.floor()
    step = (place - low)[:, None]
    one = ordered.gather(1, low.long()[:, None])
    other = ordered.gather(1, torch.minimum(low.long() + 1, last)[:, None])
    # NumPy starts from the nearer of the two.
    end = torch.where(step < 0.5, one + (other - one) * step, other - (other - one) * (1 - step))
    return down > end[:, :, None]
