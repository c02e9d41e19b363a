"""Photo -> label map.

The recipe is the original study's: the photo is resized to 512x512 (bilinear, as Pillow does it), scaled to 0..1,
normalised by ImageNet's mean and standard deviation, and each pixel gets the class with the highest score.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facepart.networks.catalogue.files import network_sha256
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.engine import Engine, Network, Preprocessing
from facepart.networks.engine_choice import open_engine
from facepart.networks.label_map import CLASSES, SIZE

# The least side, in pixels, of an aligned crop whose part masks can be relied on. On 48 London photos shrunk to 80
# pixels, the median IoU with the masks at 224 pixels is at least 0.85 for every part; at 64 it is 0.78 for the brows,
# and at 32 parts go undetected (docs/study.md).
MIN_SIDE = 80

# Of label maps, kept with everything that is made of them: raise it if the same weights at the same precision give
# other label maps. 2: at bfloat16, the scores are upsampled and the classes chosen in fp32.
PARSING_RECIPE = 2

# torchvision's ImageNet statistics, in units of 0..255.
PREPROCESSING = Preprocessing(
    height=SIZE,
    width=SIZE,
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    scale=(0.229 * 255, 0.224 * 255, 0.225 * 255),
)


@dataclass(frozen=True)
class ParserFile:
    """The weights of a face parser: a :class:`~facepart.networks.engine.NetworkSource`.

    Attributes:
        path: the BiSeNet checkpoint, or an ``.onnx`` file that scores the same 19 classes at 512x512.
    """

    path: Path

    def load(self) -> tuple[Network, Preprocessing]:
        """Return the network and its preprocessing.

        Raises:
            FacepartError: the file is not a checkpoint of BiSeNet, or no ONNX file; or it cannot be told which values
                an ONNX file takes.
        """
        if self.path.suffix.lower() == ".onnx":
            # Imported here, as below.
            from facepart.networks.onnx.file import choose_parser_input

            return self.path, choose_parser_input(self.path, PREPROCESSING)
        # Imported here: PyTorch takes seconds to load, and a network that was compiled before does not need it.
        from facepart.networks.bisenet import load_bisenet

        return load_bisenet(self.path), PREPROCESSING

    def sha256(self) -> str:
        """Return the hash of the parser, all files."""
        return network_sha256(self.path)


def open_parser(
    path: Path,
    device: str = "auto",
    precision: str = "auto",
    compiled: CompiledCache | None = None,
    threads: int | None = None,
) -> Engine:
    """Put a face parser on a device.

    Args:
        path: the BiSeNet checkpoint, or an ``.onnx`` file that scores the same 19 classes at 512x512.
        device: see :func:`facepart.networks.engine_choice.open_engine`.
        precision: see there.
        compiled: see there.
        threads: see there.

    Returns:
        An engine that takes uint8 photos (n, 512, 512, 3), RGB, and returns uint8 label maps (n, 512, 512).

    Raises:
        FacepartError: the file is not such a parser; UsageError: the device or the precision is not available.
    """
    source = ParserFile(path)
    return open_engine(source, device, precision, classes=len(CLASSES), compiled=compiled, threads=threads)


def fit_photo(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize a photo, uint8 (h, w, 3), to the parser's input, uint8 (512, 512, 3)."""
    if photo.shape[:2] == (SIZE, SIZE):
        return photo
    return np.asarray(Image.fromarray(photo).resize((SIZE, SIZE), Image.Resampling.BILINEAR))
