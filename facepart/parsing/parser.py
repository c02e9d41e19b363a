"""Photo -> label map.

The recipe is the original study's: the photo is resized to 512x512 (bilinear, as Pillow does it), scaled to 0..1,
normalised by ImageNet's mean and deviation, and each pixel gets the class of the highest score.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from facepart.engines import Engine, Preprocessing, open_engine
from facepart.parsing.bisenet import load_bisenet
from facepart.parsing.labels import SIZE

# torchvision's ImageNet statistics, in units of 0..255.
_IMAGENET = Preprocessing(
    height=SIZE,
    width=SIZE,
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    scale=(0.229 * 255, 0.224 * 255, 0.225 * 255),
)


class _BestClass(nn.Module):
    """Class scores -> the number of the best class, as 8 bits: label maps leave the device, not scores."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) -> uint8 (n, h, w)."""
        return self.network(x).argmax(1).to(torch.uint8)


def open_parser(path: Path, device: str = "auto") -> Engine:
    """Put the BiSeNet checkpoint at `path` on a device.

    Returns:
        An engine that takes uint8 photos (n, 512, 512, 3), RGB, and gives uint8 label maps (n, 512, 512).

    Raises:
        FacepartError: the file is no BiSeNet checkpoint; UsageError: the device is not there.
    """
    return open_engine(_BestClass(load_bisenet(path)), _IMAGENET, device)


def fit_photo(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize a photo, uint8 (h, w, 3), to the parser's input, uint8 (512, 512, 3)."""
    return np.asarray(Image.fromarray(photo).resize((SIZE, SIZE), Image.Resampling.BILINEAR))
