"""Photo -> label map.

The recipe is the original study's: the photo is resized to 512x512 (bilinear, as Pillow does it), scaled to 0..1,
normalised by ImageNet's mean and deviation, and each pixel gets the class of the highest score.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facepart.engines import Engine, Preprocessing, open_engine
from facepart.parsing.bisenet import load_bisenet
from facepart.parsing.labels import CLASSES, SIZE

# torchvision's ImageNet statistics, in units of 0..255.
PREPROCESSING = Preprocessing(
    height=SIZE,
    width=SIZE,
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    scale=(0.229 * 255, 0.224 * 255, 0.225 * 255),
)


def open_parser(path: Path, device: str = "auto") -> Engine:
    """Put a face parser on a device.

    Args:
        path: the BiSeNet checkpoint, or an ``.onnx`` file that scores the same 19 classes at 512x512.
        device: see :func:`facepart.engines.open_engine`.

    Returns:
        An engine that takes uint8 photos (n, 512, 512, 3), RGB, and gives uint8 label maps (n, 512, 512).

    Raises:
        FacepartError: the file holds no such parser; UsageError: the device is not there.
    """
    network = path if path.suffix.lower() == ".onnx" else load_bisenet(path)
    return open_engine(network, PREPROCESSING, device, classes=len(CLASSES))


def fit_photo(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize a photo, uint8 (h, w, 3), to the parser's input, uint8 (512, 512, 3)."""
    return np.asarray(Image.fromarray(photo).resize((SIZE, SIZE), Image.Resampling.BILINEAR))
